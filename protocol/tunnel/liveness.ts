import { TunnelError } from "./errors.ts";

/** When to ping, when the peer counts as dead, when the session is old. Times are since-boot milliseconds. */
export class Liveness {
  readonly #pingMs: number;
  readonly #endsAt: number;
  #quietSince: number;
  #missed = 0;
  /** Pings of ours that a pong may still answer. */
  #pongsOwed = 0;
  lastHeard: number;

  constructor(options: { now: number; pingMs: number; lifetimeMs: number }) {
    this.#pingMs = options.pingMs;
    this.#endsAt = options.now + options.lifetimeMs;
    this.#quietSince = options.now;
    this.lastHeard = options.now;
  }

  /** When {@link tick} next has something to do. */
  get deadline(): number {
    return Math.min(this.#quietSince + this.#pingMs, this.#endsAt);
  }

  /** A frame of the peer's arrived whole. */
  heard(now: number): void {
    this.lastHeard = now;
    this.#quietSince = now;
    this.#missed = 0;
  }

  /** Throws TUNNEL_UNEXPECTED for a pong that answers nothing. */
  ponged(): void {
    if (this.#pongsOwed === 0) throw new TunnelError("TUNNEL_UNEXPECTED", "a pong that answers no ping");
    this.#pongsOwed -= 1;
  }

  /** True where a ping is due. Throws TUNNEL_SESSION_ENDED, and TUNNEL_PEER_SILENT after two unanswered pings. */
  tick(now: number): boolean {
    if (now >= this.#endsAt) throw new TunnelError("TUNNEL_SESSION_ENDED", "the session reached its greatest age");
    if (now < this.#quietSince + this.#pingMs) return false;
    if (this.#missed === 2) throw new TunnelError("TUNNEL_PEER_SILENT", "two pings unanswered");
    this.#missed += 1;
    this.#pongsOwed += 1;
    this.#quietSince = now;
    return true;
  }
}
