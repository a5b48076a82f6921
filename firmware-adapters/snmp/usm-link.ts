import { createSocket } from "node:dgram";
import { EventEmitter } from "node:events";
import { type MessageOutline, outlineOf } from "./message-outline.ts";

/** Why a link lets nothing more through. */
export type LinkFailure =
  | { readonly kind: "identity"; readonly engineId: Uint8Array }
  | { readonly kind: "report"; readonly counter: number }
  | { readonly kind: "unreachable" };

/** Counters of usmStats that matter here (RFC 3414 section 5). */
const notInTimeWindows = 2;

type LibrarySocketEvents = { message: [Buffer]; close: []; error: [Error] };

/**
 * Stands between the SNMP library and its UDP socket. Outwards it sends no login beyond what `allowLogins` granted, so
 * that no library retry repeats a change. Inwards it lets through only answers of the engine that was discovered (and
 * expected), authenticated and encrypted, and the Reports that the library needs for its discovery: a forged answer in
 * clear would otherwise prove a wrong secret right.
 */
export class UsmLink {
  readonly #target: { readonly host: string; readonly port: number };
  readonly #expectedEngine: Uint8Array | null;
  readonly #messageIds = new Set<number>();
  readonly #fail: (failure: LinkFailure) => void;
  /** Resolves with the first failure; pending while all is well. */
  readonly failure: Promise<LinkFailure>;
  #engine: Uint8Array | null = null;
  #loginsLeft = 0;
  #loginsSent = 0;

  constructor(target: { readonly host: string; readonly port: number }, expectedEngine: Uint8Array | null) {
    this.#target = target;
    this.#expectedEngine = expectedEngine;
    const { promise, resolve } = Promise.withResolvers<LinkFailure>();
    this.failure = promise;
    this.#fail = resolve;
  }

  /** The engine that answered the discovery. */
  get engineId(): Uint8Array | null {
    return this.#engine;
  }

  /** Datagrams sent that carry the user's authentication. */
  get loginsSent(): number {
    return this.#loginsSent;
  }

  /** How many more authenticated datagrams may leave; replaces what was left. */
  allowLogins(count: number): void {
    this.#loginsLeft = count;
  }

  /** `node:dgram` as the library uses it. */
  get dgramModule(): { createSocket(): EventEmitter } {
    return { createSocket: () => this.#open() };
  }

  #open(): EventEmitter {
    const socket = createSocket(this.#target.host.includes(":") ? "udp6" : "udp4");
    const library = new EventEmitter<LibrarySocketEvents>();
    // Connected, the kernel drops other senders' datagrams and tells when nobody listens.
    const connected = new Promise<void>((resolve) => {
      socket.once("connect", () => resolve());
      socket.connect(this.#target.port, this.#target.host);
    });
    let closed = false;
    socket.on("error", () => this.#fail({ kind: "unreachable" }));
    socket.on("message", (datagram) => {
      if (this.#admits(datagram)) library.emit("message", datagram);
    });
    const close = () => {
      if (closed) return;
      closed = true;
      socket.close(() => library.emit("close"));
    };
    const send = (
      datagram: Buffer,
      _offset: number,
      _length: number,
      _port: number,
      _host: string,
      done: (error: Error | null) => void,
    ) => {
      if (!this.#takesOut(datagram)) return done(new Error("no further login is allowed"));
      void connected.then(() => {
        if (!closed) socket.send(datagram, done);
      });
    };
    return Object.assign(library, { ref: () => socket.ref(), unref: () => socket.unref(), close, send });
  }

  #takesOut(datagram: Buffer): boolean {
    const outline = outlineOf(datagram);
    if (outline === null) return false;
    if (outline.authenticated) {
      if (this.#loginsLeft <= 0) return false;
      this.#loginsLeft -= 1;
      this.#loginsSent += 1;
    }
    this.#messageIds.add(outline.messageId);
    return true;
  }

  #admits(datagram: Buffer): boolean {
    const outline = outlineOf(datagram);
    if (outline === null || !this.#messageIds.has(outline.messageId) || outline.engineId.length === 0) return false;
    const known = this.#engine ?? this.#expectedEngine;
    if (known !== null && Buffer.compare(known, outline.engineId) !== 0) {
      // Before a login this is another device; after it, somebody else's datagram.
      if (this.#engine === null) this.#fail({ kind: "identity", engineId: outline.engineId });
      return false;
    }
    if (this.#loginsSent === 0) {
      if (outline.report === null) return false;
      this.#engine = outline.engineId;
      return true;
    }
    return this.#admitsAnswer(outline);
  }

  #admitsAnswer(outline: MessageOutline): boolean {
    if (outline.authenticated && outline.encrypted) return true;
    if (outline.report === null) return false;
    // This one is authenticated, and the library answers it by sending again with the engine's time.
    if (outline.report === notInTimeWindows) return outline.authenticated;
    this.#fail({ kind: "report", counter: outline.report });
    return false;
  }
}
