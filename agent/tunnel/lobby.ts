import type { Socket } from "node:net";
import { maxUnknownPeers, maxUnknownPerAddress, unknownPeerMs } from "./limits.ts";

/** Bounds of a {@link Lobby}; those of limits.ts unless a test says otherwise. */
export interface LobbyLimits {
  readonly total: number;
  readonly perAddress: number;
  readonly timeMs: number;
}

interface Visitor {
  readonly address: string;
  readonly timer: NodeJS.Timeout;
}

/** Every connection of a server: those whose peer is unknown are bounded in number, per address and in time. */
export class Lobby {
  readonly #limits: LobbyLimits;
  readonly #sockets = new Set<Socket>();
  readonly #unknown = new Map<string, Visitor>();
  readonly #perAddress = new Map<string, number>();

  constructor(limits: LobbyLimits = { total: maxUnknownPeers, perAddress: maxUnknownPerAddress, timeMs: unknownPeerMs }) {
    this.#limits = limits;
  }

  get unknown(): number {
    return this.#unknown.size;
  }

  /** A connection came, before TLS; cut at once where there are too many. */
  enter(socket: Socket): void {
    const { remoteAddress: address, remotePort: port } = socket;
    const already = this.#perAddress.get(address ?? "") ?? 0;
    if (address === undefined || this.#unknown.size >= this.#limits.total || already >= this.#limits.perAddress) {
      socket.destroy();
      return;
    }
    const key = keyOf(address, port);
    const timer = setTimeout(() => socket.destroy(), this.#limits.timeMs);
    this.#unknown.set(key, { address, timer });
    this.#perAddress.set(address, already + 1);
    this.#sockets.add(socket);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#leave(key);
    });
  }

  /** The peer of this connection is known. TLS shows the same address and port as the connection below it. */
  admit(socket: Pick<Socket, "remoteAddress" | "remotePort">): void {
    this.#leave(keyOf(socket.remoteAddress ?? "", socket.remotePort));
  }

  /** Cuts every connection, known or not. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #leave(key: string): void {
    const visitor = this.#unknown.get(key);
    if (visitor === undefined) return;
    clearTimeout(visitor.timer);
    this.#unknown.delete(key);
    const count = (this.#perAddress.get(visitor.address) ?? 1) - 1;
    if (count === 0) this.#perAddress.delete(visitor.address);
    else this.#perAddress.set(visitor.address, count);
  }
}

function keyOf(address: string, port: number | undefined): string {
  return `${address} ${port ?? 0}`;
}
