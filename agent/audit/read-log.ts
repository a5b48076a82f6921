import { AuditError, type AuditEvent } from "../../protocol/audit/index.ts";
import type { Clock, Timers } from "../seams/index.ts";
import type { Store, Transaction } from "../store/index.ts";
import type { LeafDraft } from "./leaf-draft.ts";
import { draftTurns, leastDraftedTogether, readDraftMs, readWindowMs } from "./limits.ts";
import { type ReadEvent, ReadFold } from "./read-fold.ts";

export interface ReadLogOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Begins leaves that follow on the log as it stands now. */
  readonly draft: () => LeafDraft;
  /** Writes leaves in the transaction, of which some or all may be drafted; may throw AuditError for one that does not fit. */
  readonly append: (tx: Transaction, events: readonly AuditEvent[], draft?: LeafDraft) => void;
  /** The event that stands for so many reads without a leaf. */
  readonly gap: (count: number) => AuditEvent;
  /** Told of what the store failed with; may be told twice. */
  readonly onFailed: (error: unknown) => void;
}

/** Reads that are on their way out of a window. */
interface Leaving {
  readonly events: readonly ReadEvent[];
  /** {@link events}, and the gap for what was dropped. */
  readonly all: readonly AuditEvent[];
  readonly dropped: number;
  readonly draft: LeafDraft;
  /** They are on the disk. */
  readonly cancelDeadline: () => void;
}

/**
 * The reads of a node on their way into its log. Nobody waits for a disk: a window's reads are committed together without a sync,
 * and synced beside the event loop. Only where that takes longer than the window does the node wait for it. Nor does anybody wait for
 * the spelling of a window's leaves: it is done a few at a time, and readers have their turns between.
 */
export class ReadLog {
  readonly #options: ReadLogOptions;
  readonly #reads = new ReadFold();
  #leaving: Leaving | null = null;
  #cancelDraft: (() => void) | null = null;
  #cancelTurn: (() => void) | null = null;
  #stopped = false;

  constructor(options: ReadLogOptions) {
    this.#options = options;
  }

  /** Notes a read; its leaf is on the disk within {@link readWindowMs}. */
  note(event: ReadEvent): void {
    const { clock, timers } = this.#options;
    this.#reads.note(event, () => clock.sinceBootMs());
    this.#cancelDraft ??= timers.after(readDraftMs, () => this.#leave());
  }

  /** Counts a read that cannot be logged. */
  drop(): void {
    this.#reads.drop(1);
  }

  /** Commits the noted reads now; they are durable with the next transaction, or within the window. */
  commit(): void {
    this.#commitLeaving();
    this.#take();
    this.#commitLeaving();
  }

  /** Nothing happens any more by itself. */
  stop(): void {
    this.#stopped = true;
    this.#cancelDraft?.();
    this.#cancelTurn?.();
  }

  #leave(): void {
    this.#commitLeaving();
    this.#take();
    this.#turn();
  }

  /** Ends the window. */
  #take(): void {
    this.#cancelDraft?.();
    this.#cancelDraft = null;
    if (this.#reads.empty) return;
    const { clock, timers, gap, draft } = this.#options;
    const { events, dropped } = this.#reads.take(clock.sinceBootMs());
    this.#leaving = {
      events,
      all: dropped === 0 ? events : [...events, gap(dropped)],
      dropped,
      draft: draft(),
      cancelDeadline: timers.after(readWindowMs - readDraftMs, () => this.#deadline()),
    };
  }

  #turn(): void {
    const leaving = this.#leaving;
    if (leaving === null) return;
    const { all, draft } = leaving;
    const { size } = draft;
    if (size >= all.length) return this.#commitLeaving();
    try {
      draft.add(all.slice(size, size + Math.max(leastDraftedTogether, Math.ceil(all.length / draftTurns))));
      if (draft.size === all.length) draft.finish();
    } catch {
      // The commit comes to the same leaf and deals with it.
      return this.#commitLeaving();
    }
    this.#cancelTurn = this.#options.timers.after(0, () => this.#turn());
  }

  #commitLeaving(): void {
    this.#cancelTurn?.();
    this.#cancelTurn = null;
    const leaving = this.#leaving;
    if (leaving === null) return;
    this.#leaving = null;
    const { store, append, onFailed } = this.#options;
    const { events, all, dropped, draft, cancelDeadline } = leaving;
    try {
      const synced = store.transactionSyncedLater((tx) => append(tx, all, draft));
      synced.finally(cancelDeadline).catch(onFailed);
    } catch (error) {
      cancelDeadline();
      if (error instanceof AuditError) this.#dropUnfit(events, dropped);
      else onFailed(error);
    }
  }

  /** The window is over: whatever is left of it happens now. */
  #deadline(): void {
    if (this.#stopped) return;
    this.#commitLeaving();
    try {
      this.#options.store.sync();
    } catch (error) {
      this.#options.onFailed(error);
    }
  }

  /** An event that does not fit a leaf must not take the others with it: each goes alone, and what is left out is counted. */
  #dropUnfit(events: readonly ReadEvent[], dropped: number): void {
    const { store, append, gap, onFailed } = this.#options;
    let left = dropped;
    for (const event of events) {
      try {
        store.transaction((tx) => append(tx, [event]));
      } catch (error) {
        if (!(error instanceof AuditError)) return onFailed(error);
        left += event.details?.count ?? 1;
      }
    }
    try {
      store.transaction((tx) => append(tx, [gap(left)]));
    } catch (error) {
      onFailed(error);
    }
  }
}
