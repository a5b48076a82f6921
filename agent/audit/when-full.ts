import type { AuditEvent } from "../../protocol/audit/index.ts";
import { asList, asTuple, asUint, decodeTcbor, encodeTcbor } from "../../protocol/base/index.ts";
import { AuditLogError } from "./errors.ts";
import { type EventClass, eventClassOf } from "./event-class.ts";

/**
 * What becomes of a class of events while the disk is short: `closed` refuses what it is about, `open` lets it happen without a leaf. Noise is
 * always left out: others bring it about, and refusing it would be noise again.
 */
export type FullPolicy = Readonly<Record<Exclude<EventClass, "noise">, "open" | "closed">>;

/** State changes fail closed; what applications read from the cache goes on, for a plant needs it more than the log does. */
export const defaultFullPolicy: FullPolicy = { reads: "open", administration: "closed" };

/** Leaves of one class that were not written. */
interface Gap {
  count: number;
  /** Lower ends of the node's time. */
  readonly fromMs: number;
  toMs: number;
}

const classes = ["reads", "administration", "noise"] as const;

/** Decides which leaves are written while the disk is short, and counts those that are not. */
export class WhenFull {
  readonly #policy: FullPolicy;
  readonly #gaps = new Map<EventClass, Gap>();
  #short = false;
  #sinceMs = 0;

  constructor(policy: FullPolicy) {
    this.#policy = policy;
  }

  get short(): boolean {
    return this.#short;
  }

  /** Leaves that were not written and that no gap leaf stands for yet. */
  get dropped(): number {
    return [...this.#gaps.values()].reduce((sum, { count }) => sum + count, 0);
  }

  /** From now on only what must be written is. */
  begin(nowMs: number): void {
    if (!this.#short) this.#sinceMs = nowMs;
    this.#short = true;
  }

  /** Everything is written again, the gaps too. */
  end(): void {
    this.#short = false;
    this.#gaps.clear();
  }

  /** Those of `events` whose leaves are written; counts the others. Throws AUDIT_FULL where the policy refuses one. */
  admit(events: readonly AuditEvent[], nowMs: () => number): readonly AuditEvent[] {
    if (!this.#short) return events;
    for (const event of events) this.refuse(eventClassOf(event));
    return events.filter((event) => {
      const name = eventClassOf(event);
      if (name === null) return true;
      this.#drop(name, event.action === "credential.read" ? (event.details?.count ?? 1) : 1, nowMs());
      return false;
    });
  }

  /** Counts a read that has happened. */
  dropRead(event: AuditEvent, nowMs: number): void {
    this.#drop(eventClassOf(event) ?? "reads", 1, nowMs);
  }

  /** Throws AUDIT_FULL where events of this class are refused now; null stands for what is always written. */
  refuse(name: EventClass | null): void {
    if (!this.#short || name === null || name === "noise" || this.#policy[name] === "open") return;
    throw new AuditLogError("AUDIT_FULL", `the disk is nearly full: ${name} are refused because they could not be logged`, {
      hint: "Make room on the disk of the data folder: 'tidegate audit archive MOUNT' moves the old part of the log to a medium.",
    });
  }

  /** An event for each class of which leaves are missing. */
  gaps(self: AuditEvent["actor"] & AuditEvent["subject"]): AuditEvent[] {
    return [...this.#gaps].map(([name, { count, fromMs, toMs }]) => ({
      action: "audit.gap",
      actor: self,
      subject: self,
      outcome: "failed",
      code: "AUDIT_FULL",
      details: { class: name, count, fromMs, toMs, reason: "the disk was nearly full" },
    }));
  }

  /** For the mark `short`, so that a restart forgets nothing. */
  encode(): Uint8Array {
    const gaps = [...this.#gaps].map(([name, { count, fromMs, toMs }]) => [classes.indexOf(name), count, fromMs, toMs]);
    return encodeTcbor(this.#short ? [this.#sinceMs, gaps] : []);
  }

  /** For the mark `short` once gap leaves stand for all of it. */
  encodeEnd(): Uint8Array {
    return encodeTcbor([]);
  }

  /**
   * Takes up what an earlier run had counted: the disk is short until somebody has looked. One that crashed may have dropped more than it had
   * stored, so reads are then among the gaps even where none was counted.
   */
  restore(bytes: Uint8Array | null, { nowMs, crashed }: { readonly nowMs: number; readonly crashed: boolean }): void {
    if (bytes === null) return;
    const stored = asList(decodeTcbor(bytes), "short", 2);
    if (stored.length === 0) return;
    this.#short = true;
    this.#sinceMs = asUint(stored[0], "since");
    for (const each of asList(stored[1], "gaps", classes.length)) {
      const [name, count, fromMs, toMs] = asTuple(each, "gap", 4);
      const known = classes[asUint(name, "class")];
      if (known !== undefined)
        this.#gaps.set(known, { count: asUint(count, "count"), fromMs: asUint(fromMs, "from"), toMs: asUint(toMs, "to") });
    }
    if (!crashed) return;
    const reads = this.#gaps.get("reads");
    this.#gaps.set("reads", {
      count: reads?.count ?? 0,
      fromMs: reads?.fromMs ?? this.#sinceMs,
      toMs: Math.max(nowMs, this.#sinceMs),
    });
  }

  #drop(name: EventClass, count: number, nowMs: number): void {
    const gap = this.#gaps.get(name);
    if (gap === undefined) this.#gaps.set(name, { count, fromMs: nowMs, toMs: nowMs });
    else {
      gap.count += count;
      gap.toMs = Math.max(gap.toMs, nowMs);
    }
  }
}
