import { AuditError, type AuditEvent } from "../../protocol/audit/index.ts";
import type { Clock, Timers } from "../seams/index.ts";
import type { Store, Transaction } from "../store/index.ts";
import { readCommitMs, readWindowMs } from "./limits.ts";
import { type ReadEvent, ReadFold } from "./read-fold.ts";

export interface ReadLogOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Writes leaves in the transaction; may throw AuditError for one that does not fit. */
  readonly append: (tx: Transaction, events: readonly AuditEvent[]) => void;
  /** The event that stands for so many reads without a leaf. */
  readonly gap: (count: number) => AuditEvent;
  /** Told of what the store failed with; may be told twice. */
  readonly onFailed: (error: unknown) => void;
}

/**
 * The reads of a node on their way into its log. Nobody waits for a disk: a window's reads are committed together without a sync,
 * and synced beside the event loop. Only where that takes longer than the window does the node wait for it.
 */
export class ReadLog {
  readonly #options: ReadLogOptions;
  readonly #reads = new ReadFold();
  #cancelCommit: (() => void) | null = null;
  #cancelSync: (() => void) | null = null;

  constructor(options: ReadLogOptions) {
    this.#options = options;
  }

  /** Notes a read; its leaf is on the disk within {@link readWindowMs}. */
  note(event: ReadEvent): void {
    const { clock, timers } = this.#options;
    this.#reads.note(event, () => clock.sinceBootMs());
    this.#cancelCommit ??= timers.after(readCommitMs, () => this.commit());
  }

  /** Counts a read that cannot be logged. */
  drop(): void {
    this.#reads.drop(1);
  }

  /** Commits the noted reads now; they are durable with the next transaction, or within the window. */
  commit(): void {
    this.#cancelCommit?.();
    this.#cancelCommit = null;
    if (this.#reads.empty) return;
    const { store, clock, timers, append, gap, onFailed } = this.#options;
    const { events, dropped } = this.#reads.take(clock.sinceBootMs());
    try {
      const all = dropped === 0 ? events : [...events, gap(dropped)];
      const synced = store.transactionSyncedLater((tx) => append(tx, all));
      this.#cancelSync?.();
      const cancel = timers.after(readWindowMs - readCommitMs, () => this.#sync());
      this.#cancelSync = cancel;
      synced.then(cancel, onFailed);
    } catch (error) {
      if (error instanceof AuditError) this.#dropUnfit(events, dropped);
      else onFailed(error);
    }
  }

  /** Nothing happens any more by itself. */
  stop(): void {
    this.#cancelCommit?.();
    this.#cancelSync?.();
  }

  #sync(): void {
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
