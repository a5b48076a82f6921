import type { Socket } from "node:net";
import { dialMs, maxHandshakes, maxHandshakesPerAddress, maxWaiting, unknownPeerMs } from "./limits.ts";

/** Bounds of a {@link Lobby}; those of limits.ts unless a test says otherwise. */
export interface LobbyLimits {
  /** Connections that shake hands at a time, in all and from one address. */
  readonly total: number;
  readonly perAddress: number;
  /** Connections that wait for their turn. */
  readonly waiting: number;
  /** How long a handshake may take, and how long a connection waits for its turn, ms. */
  readonly timeMs: number;
  readonly waitMs: number;
}

const defaults: LobbyLimits = {
  total: maxHandshakes,
  perAddress: maxHandshakesPerAddress,
  waiting: maxWaiting,
  timeMs: unknownPeerMs,
  waitMs: dialMs,
};

/** Connections of one address. */
interface Line {
  readonly address: string;
  /** Oldest first, nothing read of them; each with what ends its wait. */
  readonly waiting: Map<Socket, NodeJS.Timeout>;
  shaking: number;
}

/**
 * Every connection of a server. Few shake hands at a time: the others wait, unread, each address in its own line, and the lines take
 * turns. So a whole plant comes back as fast as the machine can, in the order in which it came, and who fills one line delays nobody
 * else. Where all places are taken the longest line loses its newest.
 */
export class Lobby {
  readonly #limits: LobbyLimits;
  readonly #begin: (socket: Socket) => void;
  readonly #sockets = new Set<Socket>();
  readonly #lines = new Map<string, Line>();
  /** Lines with somebody waiting, the next one first. */
  readonly #turns = new Set<Line>();
  /** By address and port: what ends the time of a connection that shakes hands. */
  readonly #unknown = new Map<string, () => void>();
  #waiting = 0;

  /** `begin` starts TLS on a connection whose turn it is. */
  constructor(begin: (socket: Socket) => void, limits: LobbyLimits = defaults) {
    this.#begin = begin;
    this.#limits = limits;
  }

  /** A connection came, before TLS, paused. */
  enter(socket: Socket): void {
    const { remoteAddress: address } = socket;
    if (address === undefined) return void socket.destroy();
    const line = this.#lines.get(address) ?? { address, waiting: new Map<Socket, NodeJS.Timeout>(), shaking: 0 };
    this.#lines.set(address, line);
    this.#sockets.add(socket);
    line.waiting.set(
      socket,
      setTimeout(() => socket.destroy(), this.#limits.waitMs),
    );
    this.#waiting += 1;
    this.#turns.add(line);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      if (this.#leave(line, socket)) this.#forget(line);
    });
    // A connection that fails while it waits says so by its end.
    socket.on("error", () => {});
    this.#admitNext();
    if (this.#waiting > this.#limits.waiting) this.#cutLongest();
  }

  /** The peer of this connection is known. TLS shows the same address and port as the connection below it. */
  admit(socket: Pick<Socket, "remoteAddress" | "remotePort">): void {
    this.#unknown.get(keyOf(socket))?.();
  }

  /** Cuts every connection, known or not. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Gives free places away, one to each line in turn. */
  #admitNext(): void {
    const { total, perAddress } = this.#limits;
    for (const line of this.#turns) {
      if (this.#unknown.size >= total) return;
      if (line.shaking >= perAddress) continue;
      const [socket] = line.waiting.keys();
      this.#turns.delete(line);
      if (socket === undefined) continue;
      this.#take(line, socket);
      if (line.waiting.size > 0) this.#turns.add(line);
    }
  }

  #take(line: Line, socket: Socket): void {
    this.#leave(line, socket);
    line.shaking += 1;
    const key = keyOf(socket);
    const timer = setTimeout(() => socket.destroy(), this.#limits.timeMs);
    const done = () => {
      if (!this.#unknown.delete(key)) return;
      clearTimeout(timer);
      line.shaking -= 1;
      this.#forget(line);
      this.#admitNext();
    };
    this.#unknown.set(key, done);
    socket.once("close", done);
    this.#begin(socket);
  }

  /** True where it waited. */
  #leave(line: Line, socket: Socket): boolean {
    clearTimeout(line.waiting.get(socket));
    if (!line.waiting.delete(socket)) return false;
    this.#waiting -= 1;
    return true;
  }

  #forget(line: Line): void {
    if (line.waiting.size > 0) return;
    this.#turns.delete(line);
    if (line.shaking === 0) this.#lines.delete(line.address);
  }

  #cutLongest(): void {
    let longest: Line | null = null;
    for (const line of this.#turns) if (line.waiting.size > (longest?.waiting.size ?? 0)) longest = line;
    const newest = longest === null ? undefined : [...longest.waiting.keys()].at(-1);
    newest?.destroy();
  }
}

function keyOf({ remoteAddress, remotePort }: Pick<Socket, "remoteAddress" | "remotePort">): string {
  return `${remoteAddress ?? ""} ${remotePort ?? 0}`;
}
