import { connect, type Socket } from "node:net";
import { Client, type ClientChannel } from "ssh2";
import type { DeviceTarget } from "../contract/index.ts";
import { algorithmsFor } from "./algorithms.ts";
import { type ExpectedKey, identityOf, isKey } from "./host-key.ts";
import { maxReceivedBytes } from "./limits.ts";
import type { LoginFailure } from "./login-failure.ts";
import { LoginMethods } from "./login-methods.ts";
import { matchesAny } from "./pattern.ts";

export interface SessionOptions {
  readonly target: DeviceTarget;
  readonly username: string;
  readonly password: string;
  readonly algorithms: "modern" | "legacy";
  readonly expectedKeys: readonly ExpectedKey[];
  /** Lines that say that the password must be changed first. */
  readonly expired: readonly string[];
  /** For each step: connection, key exchange, login. */
  readonly timeoutMs: number;
}

/** A logged-in SSH connection for one command; `close` it. */
export class SshSession {
  readonly #client: Client;
  readonly #socket: Socket;
  /** Who the device proved to be. */
  readonly identity: string;

  private constructor(client: Client, socket: Socket, identity: string) {
    this.#client = client;
    this.#socket = socket;
    this.identity = identity;
  }

  /** Logs in, by `password` or by `keyboard-interactive` as the device wants it, with one attempt. */
  static async open(options: SessionOptions): Promise<SshSession | LoginFailure> {
    const socket = await tcpConnection(options);
    if (socket === null) return { kind: "unreachable" };
    const login = new Login(socket, options);
    const failure = await login.run();
    if (failure === null && login.identity !== null) return new SshSession(login.client, socket, login.identity);
    login.client.end();
    socket.destroy();
    return failure ?? { kind: "dropped" };
  }

  /** Shows who the device is, without a login. */
  static async identify(options: SessionOptions): Promise<string | LoginFailure> {
    const socket = await tcpConnection(options);
    if (socket === null) return { kind: "unreachable" };
    const login = new Login(socket, options);
    const failure = await login.exchangeKeys();
    login.client.end();
    socket.destroy();
    return failure ?? login.identity ?? { kind: "dropped" };
  }

  /** False once the connection is gone. */
  get open(): boolean {
    return !this.#socket.destroyed && !this.#socket.readableEnded;
  }

  /**
   * Starts a command; null where the device does not let it or does not answer in time. `attach` is called in the same turn as
   * the channel is there: its exit status may come in the same packet.
   */
  start<T>(
    command: string,
    options: { readonly terminal: boolean; readonly timeoutMs: number },
    attach: (channel: ClientChannel) => T,
  ): Promise<T | null> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(null), options.timeoutMs);
      const settle = (channel: ClientChannel | null) => {
        clearTimeout(timer);
        resolve(channel === null ? null : attach(channel));
      };
      this.#socket.once("close", () => settle(null));
      const pty = { term: "dumb", cols: 512, rows: 24 };
      try {
        this.#client.exec(command, options.terminal ? { pty } : {}, (error, channel) =>
          settle(error === undefined ? channel : null),
        );
      } catch {
        settle(null);
      }
    });
  }

  /** Says goodbye and destroys the socket. Idempotent. */
  close(): void {
    this.#client.end();
    this.#socket.destroy();
  }
}

function tcpConnection({ target, timeoutMs }: SessionOptions): Promise<Socket | null> {
  const socket = connect({ host: target.host, port: target.port, noDelay: true });
  return new Promise((resolve) => {
    const timer = setTimeout(() => settle(null), timeoutMs);
    const settle = (result: Socket | null) => {
      clearTimeout(timer);
      if (result === null) socket.destroy();
      resolve(result);
    };
    socket.once("connect", () => settle(socket));
    socket.on("error", () => settle(null));
  });
}

/** The way from a connection to a session. */
class Login {
  readonly client = new Client();
  readonly #socket: Socket;
  readonly #options: SessionOptions;
  readonly #methods: LoginMethods;
  readonly #failed = Promise.withResolvers<LoginFailure>();
  identity: string | null = null;

  constructor(socket: Socket, options: SessionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#methods = new LoginMethods({
      username: options.username,
      password: options.password,
      isExpired: (line) => matchesAny(options.expired, line),
      fail: (failure) => this.#failed.resolve(failure),
    });
  }

  /** Null where the login worked. */
  async run(): Promise<LoginFailure | null> {
    const ready = new Promise<null>((resolve) => this.client.once("ready", () => resolve(null)));
    const failure = await this.exchangeKeys();
    if (failure !== null) return failure;
    this.#methods.allow();
    const ended = await this.#within(ready);
    // A device that lets anybody in proves nothing about the secret.
    return ended === null && !this.#methods.secretSent ? { kind: "free entry" } : ended;
  }

  /** Null where the device has proven its host key, and it is the expected one. */
  async exchangeKeys(): Promise<LoginFailure | null> {
    const { client } = this;
    let received = 0;
    this.#socket.on("data", (chunk: Buffer) => {
      received += chunk.length;
      if (received > maxReceivedBytes) this.#socket.destroy();
    });
    const exchanged = new Promise<null>((resolve) => client.once("handshake", () => resolve(null)));
    client.on("error", (error) => {
      if (/no matching/i.test(error.message)) this.#failed.resolve({ kind: "algorithms" });
      // The library only ends its half after what breaks the protocol, and waits for a device that may never end its.
      this.#socket.destroy();
    });
    client.on("change password", () => this.#failed.resolve({ kind: "expired" }));
    this.#socket.on("close", () => this.#failed.resolve({ kind: this.#methods.secretSent ? "no answer" : "dropped" }));
    client.connect({
      sock: this.#socket,
      username: this.#options.username,
      algorithms: algorithmsFor(this.#options.algorithms, this.#options.expectedKeys.find(({ type }) => type)?.type ?? null),
      hostVerifier: (key: Buffer) => this.#accepts(key),
      authHandler: this.#methods.choose,
      readyTimeout: 0,
      keepaliveInterval: 0,
    });
    return this.#within(exchanged);
  }

  #accepts(key: Buffer): boolean {
    this.identity = identityOf(key);
    const known = this.identity;
    if (this.#options.expectedKeys.every((expected) => isKey(known, expected))) return true;
    this.#failed.resolve({ kind: "identity" });
    return false;
  }

  async #within(wanted: Promise<null>): Promise<LoginFailure | null> {
    const timer = setTimeout(
      () => this.#failed.resolve({ kind: this.#methods.secretSent ? "no answer" : "silent" }),
      this.#options.timeoutMs,
    );
    const ended = await Promise.race([wanted, this.#failed.promise]);
    clearTimeout(timer);
    return ended;
  }
}
