import { hash } from "node:crypto";
import { type Address, formatAddress } from "../../agent/address/index.ts";
import {
  type Dial,
  LinkError,
  type Listen,
  type ListenOptions,
  type MessageStream,
  type StreamPath,
  type StreamReceiver,
} from "../../agent/tunnel/index.ts";
import type { DirectBinding } from "../../protocol/tunnel/index.ts";

/** Changes, delays or swallows what crosses a connection: what comes back is delivered. */
export type Tamper = (message: Uint8Array, way: "to-listener" | "to-dialler") => readonly Uint8Array[];

/**
 * Dial and Listen without sockets, for many nodes in one process. Messages arrive in later microtasks, in order. TLS is pretended: each
 * end states its TLS key hash, and both see one exporter.
 */
export class MemoryNetwork {
  readonly #listeners = new Map<string, Listener>();
  readonly #open = new Set<MemoryConnection>();
  #serial = 0;
  /** Applied to every message. */
  tamper: Tamper | null = null;
  /** While true nothing crosses, not even the end of a connection: each side finds out for itself. */
  silent = false;
  /** What every stream says it has not sent yet. */
  queuedBytes = 0;
  /** Dials are refused while true. */
  down = false;
  dials = 0;

  /** Connections now open. */
  get connections(): number {
    return this.#open.size;
  }

  /** A dialler whose certificate has this key hash (32 bytes); null shows none. */
  dial(tlsKeyHash: Uint8Array | null): Dial {
    return async (target, signal) => {
      this.dials += 1;
      const listener = this.#listeners.get(formatAddress(target.address));
      if (this.down || signal.aborted || listener === undefined)
        throw new LinkError("LINK_UNREACHABLE", "nobody listens there");
      this.#serial += 1;
      const connection = new MemoryConnection({
        exporter: new Uint8Array(hash("sha256", `exporter ${this.#serial}`, "buffer")),
        diallerKey: tlsKeyHash,
        listenerKey: listener.tlsKeyHash,
        serial: this.#serial,
        tamper: (message, way) => {
          if (this.silent) return [];
          return this.tamper === null ? [message] : this.tamper(message, way);
        },
        silent: () => this.silent,
        queued: () => this.queuedBytes,
        ended: () => this.#open.delete(connection),
      });
      this.#open.add(connection);
      listener.accept(connection, target.path);
      return connection.dialler;
    };
  }

  /** A listener whose certificate has this key hash. */
  listen(tlsKeyHash: Uint8Array): Listen {
    return async (options) => {
      this.#serial += 1;
      const { host, port } = options.address;
      const address: Address = { host, port: port === 0 ? 20_000 + this.#serial : port };
      const listener = new Listener(tlsKeyHash, options);
      this.#listeners.set(formatAddress(address), listener);
      return {
        address,
        close: async () => {
          this.#listeners.delete(formatAddress(address));
          listener.cutAll();
        },
      };
    };
  }

  /** Cuts every connection, as a pulled cable and a reset do. */
  cutAll(): void {
    for (const connection of [...this.#open]) connection.cut();
  }
}

class Listener {
  readonly tlsKeyHash: Uint8Array;
  readonly #options: ListenOptions;
  readonly #connections: MemoryConnection[] = [];

  constructor(tlsKeyHash: Uint8Array, options: ListenOptions) {
    this.tlsKeyHash = tlsKeyHash;
    this.#options = options;
  }

  accept(connection: MemoryConnection, path: StreamPath): void {
    this.#connections.push(connection);
    this.#options.onStream(connection.listener, path, { admit() {} });
  }

  cutAll(): void {
    for (const connection of this.#connections) connection.cut();
  }
}

interface ConnectionOptions {
  readonly exporter: Uint8Array;
  readonly diallerKey: Uint8Array | null;
  readonly listenerKey: Uint8Array;
  readonly serial: number;
  readonly tamper: Tamper;
  silent(): boolean;
  queued(): number;
  ended(): void;
}

class MemoryConnection {
  readonly dialler: MemoryStream;
  readonly listener: MemoryStream;
  readonly #options: ConnectionOptions;

  constructor(options: ConnectionOptions) {
    const { exporter, serial, tamper } = options;
    this.#options = options;
    const bound = (peerKeyHash: Uint8Array | null): DirectBinding => {
      return { mode: "direct", exporter, peerKeyHash, peerSignedBy: () => peerKeyHash !== null };
    };
    const end = (reason: number, side: MemoryStream) => {
      if (options.silent()) this.#endOne(side);
      else this.#end(reason);
    };
    const { queued } = options;
    this.dialler = new MemoryStream({ remote: `memory:${serial}`, binding: bound(options.listenerKey), close: end, queued });
    this.listener = new MemoryStream({
      remote: `memory:${serial + 10_000}`,
      binding: bound(options.diallerKey),
      close: end,
      queued,
    });
    this.dialler.deliver = (message) => {
      for (const one of tamper(message, "to-listener")) this.listener.arrive(one);
    };
    this.listener.deliver = (message) => {
      for (const one of tamper(message, "to-dialler")) this.dialler.arrive(one);
    };
  }

  cut(): void {
    this.#end(null);
  }

  #end(reason: number | null): void {
    this.dialler.finish(reason);
    this.listener.finish(reason);
    this.#options.ended();
  }

  #endOne(side: MemoryStream): void {
    side.finish(null);
    if (this.dialler.finished && this.listener.finished) this.#options.ended();
  }
}

interface StreamOptions {
  readonly remote: string;
  readonly binding: DirectBinding;
  close(reason: number, side: MemoryStream): void;
  queued(): number;
}

class MemoryStream implements MessageStream {
  readonly remote: string;
  readonly binding: DirectBinding;
  deliver: (message: Uint8Array) => void = () => {};
  readonly #close: StreamOptions["close"];
  readonly #queued: () => number;
  #receiver: StreamReceiver | null = null;
  /** What arrived and is not handed over yet; a function hands over one thing. */
  #inbox: ((receiver: StreamReceiver) => void)[] = [];
  #finished = false;

  constructor(options: StreamOptions) {
    this.remote = options.remote;
    this.binding = options.binding;
    this.#close = options.close;
    this.#queued = options.queued;
  }

  get queuedBytes(): number {
    return this.#queued();
  }

  get finished(): boolean {
    return this.#finished;
  }

  start(receiver: StreamReceiver): void {
    this.#receiver = receiver;
    this.#schedule();
  }

  send(message: Uint8Array): void {
    if (this.#finished) return;
    this.deliver(message.slice());
    queueMicrotask(() => this.#receiver?.drained());
  }

  close(reason: number): void {
    if (!this.#finished) this.#close(reason, this);
  }

  arrive(message: Uint8Array): void {
    if (this.#finished) return;
    this.#inbox.push((receiver) => receiver.message(message));
    this.#schedule();
  }

  finish(reason: number | null): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#inbox.push((receiver) => receiver.closed(reason));
    this.#schedule();
  }

  #schedule(): void {
    if (this.#receiver === null) return;
    queueMicrotask(() => {
      const receiver = this.#receiver;
      const next = this.#inbox.shift();
      if (receiver === null || next === undefined) return;
      next(receiver);
      this.#schedule();
    });
  }
}

/** A network in memory. */
export function memoryNetwork(): MemoryNetwork {
  return new MemoryNetwork();
}
