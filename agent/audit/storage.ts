import type { AuditRows } from "../../protocol/audit/index.ts";

/** The key that signs a log's checkpoints now. The seed is secret: a store keeps it sealed, and erases it when the next one comes. */
export interface EpochKey {
  readonly number: number;
  /** Ed25519, 32 bytes. */
  readonly seed: Uint8Array;
}

/**
 * Small values of a log beside its leaves. `tree` is written with the leaves ({@link AuditRows.state}); `run` says whether a node
 * runs on the log; `checkpoint` is the newest one; `acknowledged` our head that the other side last proved; `peer/<node id>` a
 * peer's head that we last proved; `cosigned/<node id>` a
 * peer's newest head under our witness key; `final/<N>` the last checkpoint of the ended epoch N; `ran` for how long the current epoch has run; `lost` the largest head that
 * others hold and this log never had; `archive` what of the log lies on
 * media only, and `succession/<N>` the leaf that named the key of epoch N, where that is such an entry; `short` what was left out while the disk was short.
 */
export type MarkName =
  | "tree"
  | "run"
  | "checkpoint"
  | "acknowledged"
  | "ran"
  | "lost"
  | `peer/${string}`
  | `cosigned/${string}`
  | `final/${number}`
  | "archive"
  | "short"
  | `succession/${number}`;

/** Reads one log's rows. */
export interface AuditRead {
  mark(name: MarkName): Uint8Array | null;
  /** Leaves from index `from` on, at most `limit`; fewer only at the end of the log, and none where the first was freed. */
  leaves(from: number, limit: number): Uint8Array[];
  /** The hash tile as it was last put, or null. */
  tile(level: number, index: number): Uint8Array | null;
  /** Null where the log was never given its first one. */
  epochKey(): EpochKey | null;
}

/** Reads and writes one log's rows within the transaction of whoever appends. */
export interface AuditWrite extends AuditRead {
  /** Puts the leaves, tiles and tree state that `sequence` made. */
  append(rows: AuditRows): void;
  putMark(name: Exclude<MarkName, "tree">, value: Uint8Array): void;
  /** Forgets the leaves from `from` to before `to`, both multiples of 256 in a log that is longer; their hashes stay. */
  free(from: number, to: number): void;
  /** Replaces the epoch key; of the one before nothing stays on the disk once the transaction is durable. */
  putEpochKey(key: EpochKey): void;
}

/** Where a log's rows lie: `View` and `Tx` are what the owner's store reads and writes through. */
export interface AuditStorage<View, Tx extends View> {
  read(view: View): AuditRead;
  write(tx: Tx): AuditWrite;
}

/** The same contract where the store answers later: each method returns a promise of what its synchronous twin returns. */
export type Later<Sync> = {
  readonly [Name in keyof Sync]: Sync[Name] extends (...values: infer Values) => infer Result
    ? (...values: Values) => Promise<Result>
    : never;
};

/** {@link AuditStorage} of a store that answers later. */
export interface AsyncAuditStorage<View, Tx extends View> {
  read(view: View): Later<AuditRead>;
  write(tx: Tx): Later<AuditWrite>;
}
