import type { AuditEvent } from "../../protocol/audit/index.ts";
import { maxNotedReads } from "./limits.ts";

/** A read that is logged after it was answered. `count` and `spanMs` are added by the log. */
export type ReadEvent = Extract<AuditEvent, { readonly action: "credential.read" }>;

/** Reads of one window, equal ones counted together; bounded. */
export class ReadFold {
  #noted = new Map<string, { readonly event: ReadEvent; count: number; readonly firstMs: number }>();
  #dropped = 0;

  get empty(): boolean {
    return this.#noted.size === 0 && this.#dropped === 0;
  }

  note(event: ReadEvent, nowMs: number): void {
    const { actor, subject, outcome, code, details } = event;
    const version = details?.version ?? "";
    const key = `${actor.kind}\n${actor.id}\n${subject.kind}\n${subject.id}\n${outcome}\n${code}\n${version}\n${details?.stale}\n${details?.peerUid}`;
    const known = this.#noted.get(key);
    if (known !== undefined) known.count += 1;
    else if (this.#noted.size < maxNotedReads) this.#noted.set(key, { event, count: 1, firstMs: nowMs });
    else this.#dropped += 1;
  }

  /** Counts a read that cannot be logged. */
  drop(count: number): void {
    this.#dropped += count;
  }

  /** Empties the window: its reads as events, and how many reads no event stands for. */
  take(nowMs: number): { events: ReadEvent[]; dropped: number } {
    const events = [...this.#noted.values()].map(({ event, count, firstMs }): ReadEvent => {
      return { ...event, details: { ...event.details, count, spanMs: Math.max(0, nowMs - firstMs) } };
    });
    const dropped = this.#dropped;
    this.#noted = new Map();
    this.#dropped = 0;
    return { events, dropped };
  }
}
