import type { AuditRows } from "../../protocol/audit/index.ts";

/**
 * Small values of a log beside its leaves. `tree` is written with the leaves ({@link AuditRows.state}); `run` says whether a node
 * runs on the log; `checkpoint` is the newest one; `acknowledged` our head that the other side last proved; `peer/<node id>` a
 * peer's head that we last proved.
 */
export type MarkName = "tree" | "run" | "checkpoint" | "acknowledged" | `peer/${string}`;

/** Reads one log's rows. */
export interface AuditRead {
  mark(name: MarkName): Uint8Array | null;
  /** Leaves from index `from` on, at most `limit`; fewer only at the end of the log. */
  leaves(from: number, limit: number): Uint8Array[];
  /** The hash tile as it was last put, or null. */
  tile(level: number, index: number): Uint8Array | null;
}

/** Reads and writes one log's rows within the transaction of whoever appends. */
export interface AuditWrite extends AuditRead {
  /** Puts the leaves, tiles and tree state that `sequence` made. */
  append(rows: AuditRows): void;
  putMark(name: Exclude<MarkName, "tree">, value: Uint8Array): void;
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
