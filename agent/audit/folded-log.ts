import type { AuditEvent } from "../../protocol/audit/index.ts";
import type { Clock, Timers } from "../seams/index.ts";
import { foldEveryMs, foldFirstMs, maxFoldedKinds, maxFoldedRefusals } from "./limits.ts";

/** What others can make happen as often as they like: connections, logins, and items and joins that are refused. */
export type FoldedEvent = Extract<
  AuditEvent,
  {
    readonly action:
      | "login.accept"
      | "login.deny"
      | "tunnel.open"
      | "tunnel.close"
      | "tunnel.refuse"
      | "node.enroll"
      | "report.refuse";
  }
>;

export interface FoldedLogOptions {
  readonly clock: Pick<Clock, "sinceBootMs">;
  readonly timers: Timers;
  /** Appends the leaves; what it fails with is its own business. */
  readonly write: (events: readonly FoldedEvent[]) => void | Promise<void>;
}

interface Kind {
  readonly event: FoldedEvent;
  /** Of which no leaf tells yet. */
  count: number;
  firstMs: number;
  told: boolean;
}

/**
 * Events on their way into a log that nobody may fill from outside. The first of a kind has its leaf at once, those that follow within a
 * minute share one with a count; and of refusals only a few kinds a minute have leaves of their own.
 */
export class FoldedLog {
  readonly #options: FoldedLogOptions;
  #kinds = new Map<string, Kind>();
  #refusals = 0;
  #cancelSoon: (() => void) | null = null;
  #cancelEnd: (() => void) | null = null;
  #written: void | Promise<void> = undefined;
  #closed = false;

  constructor(options: FoldedLogOptions) {
    this.#options = options;
  }

  /** Takes an event in; its leaf follows. Never throws and never waits. */
  note(event: FoldedEvent): void {
    if (this.#closed) return;
    const { clock, timers } = this.#options;
    const kind = this.#kindOf(event);
    if (kind.count === 0) kind.firstMs = clock.sinceBootMs();
    kind.count += 1;
    if (!kind.told) this.#cancelSoon ??= timers.after(foldFirstMs, () => this.#tell((each) => !each.told));
    this.#cancelEnd ??= timers.after(foldEveryMs, () => this.#endMinute());
  }

  /** Writes what is counted and takes nothing more. Idempotent. */
  async close(): Promise<void> {
    if (!this.#closed) this.#endMinute();
    this.#closed = true;
    await this.#written;
  }

  #kindOf(event: FoldedEvent): Kind {
    const known = this.#kinds.get(keyOf(event));
    if (known !== undefined) return known;
    const denied = event.outcome === "denied";
    const full = denied ? this.#refusals >= maxFoldedRefusals : this.#kinds.size >= maxFoldedKinds;
    const kept = full ? asOther(event) : event;
    const key = keyOf(kept);
    const other = this.#kinds.get(key);
    if (other !== undefined) return other;
    const kind: Kind = { event: kept, count: 0, firstMs: 0, told: false };
    this.#kinds.set(key, kind);
    if (denied && !full) this.#refusals += 1;
    return kind;
  }

  #endMinute(): void {
    this.#cancelEnd?.();
    this.#cancelEnd = null;
    this.#tell(() => true);
    this.#kinds = new Map();
    this.#refusals = 0;
  }

  #tell(which: (kind: Kind) => boolean): void {
    this.#cancelSoon?.();
    this.#cancelSoon = null;
    const nowMs = this.#options.clock.sinceBootMs();
    const due = [...this.#kinds.values()].filter((kind) => kind.count > 0 && which(kind));
    if (due.length === 0) return;
    const events = due.map(({ event, count, firstMs }) => {
      const spanMs = Math.max(0, nowMs - firstMs);
      return (count === 1 ? event : { ...event, details: { ...event.details, count, spanMs } }) as FoldedEvent;
    });
    for (const kind of due) Object.assign(kind, { count: 0, told: true });
    this.#written = this.#options.write(events);
  }
}

/** Many different ones share a leaf for each action, which names nobody and no reason. */
function asOther({ action, actor, subject, outcome }: FoldedEvent): FoldedEvent {
  return { action, actor: { kind: actor.kind, id: "others" }, subject, outcome } as FoldedEvent;
}

function keyOf({ action, actor, subject, outcome, code, details }: FoldedEvent): string {
  return JSON.stringify([action, actor.kind, actor.id, subject.kind, subject.id, outcome, code ?? null, details ?? null]);
}
