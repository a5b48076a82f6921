import { hash } from "node:crypto";
import { formatAddress } from "../../agent/address/index.ts";
import {
  type Dial,
  LinkError,
  type Listen,
  type ListenOptions,
  type MessageStream,
  type StreamPath,
} from "../../agent/tunnel/index.ts";
import type { DirectBinding } from "../../protocol/tunnel/index.ts";
import type { Dice } from "./dice.ts";
import { End, type Host, type Parcel } from "./stream-end.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** What goes wrong with one message, once. */
export type Mangling = "duplicate" | "swap" | "flip";

/** The way between two hosts. */
export interface Way {
  /** Nothing arrives from the first to the second, or back. */
  forth: boolean;
  back: boolean;
  /** Milliseconds that a message takes, least and most. */
  delay: readonly [number, number];
  mangle: Mangling | null;
}

export interface NetworkOptions {
  readonly time: VirtualTime;
  readonly dice: Dice;
  /** Sees every message as it is sent. */
  onMessage(from: Host, to: Host, message: Uint8Array): void;
  /** Told when a message was mangled. */
  onMangled(how: Mangling): void;
}

const fastDelay = [1, 40] as const;

/** Message streams between processes: in order and whole, as TLS gives them, until something is wrong with the way. */
export class Network {
  readonly options: NetworkOptions;
  readonly #listeners = new Map<string, Listener>();
  readonly #ways = new Map<string, Way>();
  readonly #open = new Set<Connection>();
  #serial = 0;

  constructor(options: NetworkOptions) {
    this.options = options;
  }

  /** The way from one host to another, by name. */
  way(from: string, to: string): Way {
    const key = `${from}>${to}`;
    const known = this.#ways.get(key);
    if (known !== undefined) return known;
    const way: Way = { forth: true, back: true, delay: fastDelay, mangle: null };
    this.#ways.set(key, way);
    return way;
  }

  /** Everything is as it should be; what was blocked goes on. */
  heal(): void {
    for (const way of this.#ways.values()) Object.assign(way, { forth: true, back: true, delay: fastDelay, mangle: null });
    this.changed();
  }

  /** A way is open again: what waited for it goes on. */
  changed(): void {
    for (const connection of [...this.#open]) connection.pump();
  }

  /** Resets the connections on a way: both ends see it. */
  cut(from: string, to: string): number {
    const hit = [...this.#open].filter((each) => each.dialler.host.name === from && each.listener.host.name === to);
    for (const connection of hit) connection.reset();
    return hit.length;
  }

  dial(host: Host, tlsKeyHash: Uint8Array | null): Dial {
    return async (target, signal) => {
      const { time, dice } = this.options;
      for (;;) {
        await new Promise<void>((resolve) => time.after(dice.between(1, 20), resolve));
        const listener = this.#listeners.get(formatAddress(target.address));
        if (signal.aborted || !host.alive) throw new LinkError("LINK_UNREACHABLE", "given up");
        if (listener === undefined || !listener.host.alive) throw new LinkError("LINK_UNREACHABLE", "nobody listens there");
        const way = this.way(host.name, listener.host.name);
        // Packets to open a connection are sent again until somebody gives up.
        if (way.forth && way.back) return this.#connect(host, listener, { tlsKeyHash, way, path: target.path });
        await new Promise<void>((resolve) => time.after(1_000, resolve));
      }
    };
  }

  listen(host: Host, tlsKeyHash: Uint8Array): Listen {
    return async (options) => {
      const name = formatAddress(options.address);
      const listener: Listener = { host, tlsKeyHash, options };
      this.#listeners.set(name, listener);
      const close = async () => {
        if (this.#listeners.get(name) === listener) this.#listeners.delete(name);
        for (const each of [...this.#open]) if (each.listener.host === host) each.reset();
      };
      return { address: options.address, close };
    };
  }

  #connect(
    host: Host,
    listener: Listener,
    { tlsKeyHash, way, path }: { tlsKeyHash: Uint8Array | null; way: Way; path: StreamPath },
  ): MessageStream {
    this.#serial += 1;
    const connection = new Connection(this, way, {
      serial: this.#serial,
      dialler: { host, keyHash: tlsKeyHash },
      listener: { host: listener.host, keyHash: listener.tlsKeyHash },
      ended: () => this.#open.delete(connection),
    });
    this.#open.add(connection);
    listener.options.onStream(connection.listener, path, { admit() {} });
    return connection.dialler;
  }
}

interface Listener {
  readonly host: Host;
  readonly tlsKeyHash: Uint8Array;
  readonly options: ListenOptions;
}

interface ConnectionOptions {
  readonly serial: number;
  readonly dialler: { readonly host: Host; readonly keyHash: Uint8Array | null };
  readonly listener: { readonly host: Host; readonly keyHash: Uint8Array };
  ended(): void;
}

class Connection {
  readonly dialler: End;
  readonly listener: End;
  readonly #network: Network;
  readonly #way: Way;
  readonly #ended: () => void;

  constructor(network: Network, way: Way, { serial, dialler, listener, ended }: ConnectionOptions) {
    this.#network = network;
    this.#way = way;
    this.#ended = ended;
    const exporter = new Uint8Array(hash("sha256", `exporter ${serial}`, "buffer"));
    const bound = (peerKeyHash: Uint8Array | null): DirectBinding => {
      return { mode: "direct", exporter, peerKeyHash, peerSignedBy: () => peerKeyHash !== null };
    };
    const remote = `connection:${serial}`;
    this.dialler = new End({ host: dialler.host, remote, binding: bound(listener.keyHash), connection: this });
    this.listener = new End({ host: listener.host, remote, binding: bound(dialler.keyHash), connection: this });
    for (const end of [this.dialler, this.listener]) {
      end.host.onDeath((gone) => {
        if (end.finished) return;
        end.abandon();
        // A machine without power says nothing: the other end finds out for itself.
        if (gone === "at once") this.post(end, { end: null });
        else this.#over();
      });
    }
  }

  /** Sends something from one end to the other. */
  post(from: End, parcel: Parcel): void {
    const { time, dice, onMessage, onMangled } = this.#network.options;
    const to = this.#other(from);
    if ("message" in parcel) onMessage(from.host, to.host, parcel.message);
    const [least, most] = this.#way.delay;
    const parcels: Parcel[] = [parcel];
    const { mangle } = this.#way;
    if (mangle !== null && "message" in parcel) {
      this.#way.mangle = null;
      onMangled(mangle);
      if (mangle === "duplicate") parcels.push(parcel);
      if (mangle === "flip") parcels[0] = { message: flipped(parcel.message) };
      if (mangle === "swap") to.swapNext = true;
    }
    to.arriveAt = Math.max(to.arriveAt, time.now + dice.between(least, most));
    for (const each of parcels) time.after(to.arriveAt - time.now, () => to.enqueue(each, this.#open(from)));
  }

  /** What waited for the way. */
  pump(): void {
    for (const end of [this.dialler, this.listener]) if (this.#open(this.#other(end))) end.pump();
  }

  /** Both ends lose the connection. */
  reset(): void {
    this.dialler.finish(null);
    this.listener.finish(null);
    this.#over();
  }

  over(): void {
    if (this.dialler.finished && this.listener.finished) this.#over();
  }

  #over(): void {
    this.#ended();
  }

  #open(from: End): boolean {
    return from === this.dialler ? this.#way.forth : this.#way.back;
  }

  #other(end: End): End {
    return end === this.dialler ? this.listener : this.dialler;
  }
}

function flipped(message: Uint8Array): Uint8Array {
  const other = message.slice();
  const at = other.length >> 1;
  other[at] = (other[at] ?? 0) ^ 1;
  return other;
}
