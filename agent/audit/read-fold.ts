import type { AuditEvent } from "../../protocol/audit/index.ts";
import { maxNotedReads, maxNotedRefusals } from "./limits.ts";

/** A read that is logged after it was answered. `count` and `spanMs` are added by the log. */
export type ReadEvent = Extract<AuditEvent, { readonly action: "credential.read" }>;

const otherPaths = { kind: "account", id: "others" } as const;

interface Noted {
  readonly event: ReadEvent;
  count: number;
  readonly firstMs: number;
}

/** Reads of one window, equal ones counted together; bounded. */
export class ReadFold {
  #noted = new Map<string, Noted>();
  /** The same by the event's object: a read that comes again mostly brings the one it came with before. */
  #byObject = new Map<ReadEvent, Noted>();
  #refusals = 0;
  #dropped = 0;

  get empty(): boolean {
    return this.#noted.size === 0 && this.#dropped === 0;
  }

  /** `nowMs` is only asked for the first of a kind: the machine's clock costs more than all else here. */
  note(event: ReadEvent, nowMs: () => number): void {
    const same = this.#byObject.get(event);
    if (same !== undefined) {
      same.count += 1;
      return;
    }
    if (this.#count(event)) return;
    const denied = event.outcome === "denied";
    // Whoever reaches the API can be refused for as many paths as there are: beyond a few they share a leaf.
    const folded = denied && this.#refusals >= maxNotedRefusals ? { ...event, subject: otherPaths } : event;
    if (folded !== event && this.#count(folded)) return;
    if (this.#noted.size >= maxNotedReads) {
      this.#dropped += 1;
      return;
    }
    if (denied) this.#refusals += 1;
    const noted = { event: folded, count: 1, firstMs: nowMs() };
    this.#noted.set(keyOf(folded), noted);
    this.#byObject.set(event, noted);
  }

  /** Counts one more of what is noted already; false where it is not. */
  #count(event: ReadEvent): boolean {
    const known = this.#noted.get(keyOf(event));
    if (known === undefined) return false;
    known.count += 1;
    return true;
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
    this.#byObject = new Map();
    this.#dropped = 0;
    this.#refusals = 0;
    return { events, dropped };
  }
}

function keyOf({ actor, subject, outcome, code, details }: ReadEvent): string {
  const version = details?.version ?? "";
  return `${actor.kind}\n${actor.id}\n${subject.kind}\n${subject.id}\n${outcome}\n${code}\n${version}\n${details?.stale}\n${details?.peerUid}`;
}
