import { type AuditEvent, decodeCheckpoint, sequence, type TreeState } from "../../protocol/audit/index.ts";
import { sameBytes, TidegateError, u64be, utf8 } from "../../protocol/base/index.ts";
import type { Failpoint, Timers } from "../seams/index.ts";
import type { Store, Transaction, View } from "../store/index.ts";
import { FoldedLog } from "./folded-log.ts";
import { LeafDraft } from "./leaf-draft.ts";
import { checkpointEveryMs, epochEveryMs, readWindowMs } from "./limits.ts";
import { LogArchive } from "./log-archive.ts";
import { checkpointOf, epochChangeOf, type LogContext, leavesAfter, ownEvent } from "./log-context.ts";
import { LogReading } from "./log-reading.ts";
import type { AuditMirror } from "./mirror.ts";
import type { ReadEvent } from "./read-fold.ts";
import { ReadLog } from "./read-log.ts";
import { SpaceLog } from "./space-log.ts";
import type { AuditRead, AuditStorage } from "./storage.ts";
import { loadTree } from "./tree-cache.ts";
import { defaultFullPolicy, type FullPolicy, WhenFull } from "./when-full.ts";

export interface AuditLogOptions extends LogContext {
  readonly store: Store;
  readonly storage: AuditStorage<View, Transaction>;
  readonly timers: Timers;
  /** Names `audit.before-checkpoint`, `audit.before-epoch` and `audit.after-checkpoint`. */
  readonly failpoint: Failpoint;
  /** For the leaves of start and stop. */
  readonly node: { readonly version: string; readonly role: string };
  /** Writes the log as plain files; null where nobody wants them. */
  readonly mirror: AuditMirror | null;
  /** Told once when the log can no longer write; the code is the store's, or BUG. */
  readonly onStopped: (code: string) => void;
  /** What becomes of events while the disk is short; {@link defaultFullPolicy} where it is absent. */
  readonly whenFull?: FullPolicy;
}

/** Where an event went: the log's serial and the leaf's index. */
export interface LeafRef {
  readonly serial: number;
  readonly index: number;
}

/** How the log ended the last time. `crash` means that reads of the last {@link readWindowMs} may be missing. */
export type LastStop = "first" | "clean" | "crash";

/** One node's audit log over its synchronous store. Opened with {@link openAuditLog}. */
export class AuditLog extends LogReading {
  readonly lastStop: LastStop;
  /** The old part of the log, as it goes to media. */
  readonly archive: LogArchive;
  /** Takes what others can make happen as often as they like. */
  readonly folded: FoldedLog;
  /** What the log does while the disk is short. */
  readonly space: SpaceLog;
  readonly #full: WhenFull;
  readonly #options: AuditLogOptions;
  readonly #reads: ReadLog;
  #cancelCheckpoint: (() => void) | null = null;
  #lastCheckpointMs = 0;
  /** Up to when this run is counted in the epoch's running time, ms since boot. */
  #countedMs: number;
  #stopped: string | null = null;
  #closed = false;

  constructor(options: AuditLogOptions) {
    super(options);
    this.#options = options;
    const { store, clock, timers } = options;
    this.#countedMs = clock.sinceBootMs();
    this.#reads = new ReadLog({
      store,
      clock,
      timers,
      draft: () => new LeafDraft(options, this.cache.newest),
      append: (tx, events, draft) => void this.#append(tx, events, draft),
      gap: (count) => this.#gap(count),
      onFailed: (error) => this.#stop(error),
    });
    this.folded = new FoldedLog({ clock, timers, write: (events) => this.#writeFolded(events) });
    this.#full = new WhenFull(options.whenFull ?? defaultFullPolicy);
    this.space = new SpaceLog({
      ...options,
      full: this.#full,
      self: this.#self(),
      nowMs: () => this.#nowMs(),
      commitReads: () => this.#reads.commit(),
      append: (tx, events) => void this.appendAll(tx, events),
    });
    this.lastStop = options.store.transaction((tx) => this.#begin(tx));
    this.checkpoint();
    this.archive = new LogArchive(this, options);
    this.archive.resume();
  }

  /** Null while the log writes, else the code of what stopped it; from then on reads are counted but not logged. */
  get stopped(): string | null {
    return this.#stopped ?? this.#options.store.stopped;
  }

  /**
   * Appends a leaf in the owner's transaction, so that it is durable exactly when the state change is, and before its effect.
   * Throws AUDIT_LEAF_TOO_LARGE, AUDIT_FULL where the disk is short and the event can wait, and what the store throws; the owner's transaction then rolls back.
   */
  append(tx: Transaction, event: AuditEvent): LeafRef {
    return this.appendAll(tx, [event]);
  }

  /** {@link append} for several at once; the reference is the first one's, the others follow without a gap. */
  appendAll(tx: Transaction, events: readonly AuditEvent[]): LeafRef {
    const admitted = this.#full.admit(events, () => this.#nowMs());
    if (this.#full.short) this.#options.storage.write(tx).putMark("short", this.#full.encode());
    return this.#append(tx, admitted);
  }

  #append(tx: Transaction, events: readonly AuditEvent[], draft?: LeafDraft): LeafRef {
    const writing = this.#options.storage.write(tx);
    const tree = loadTree(writing, this.cache);
    const { state, rows } =
      draft === undefined ? sequence(tree, leavesAfter(this.#options, tree, events)) : draft.sequenceOn(tree, events);
    writing.append(rows);
    this.cache.add(rows.state, state);
    this.#scheduleCheckpoint();
    return { serial: this.#options.name.serial, index: tree.size };
  }

  /** Logs a read within 100 ms, equal ones folded into one leaf with a count. Never throws and never waits for a disk. */
  noteRead(event: ReadEvent): void {
    if (this.#full.short) this.#full.dropRead(event, this.#nowMs());
    else if (this.#closed || this.stopped !== null) this.#reads.drop();
    else this.#reads.note(event);
  }

  /**
   * Signs and stores a checkpoint where there are leaves after the last one; null where there are none or the log has stopped. A key
   * that has signed for long enough gives way to the next one.
   */
  checkpoint(): Uint8Array | null {
    return this.#seal((tx) => this.#sign(tx));
  }

  /**
   * Appends `events`, ends the epoch with a checkpoint over them and begins the next: whoever takes the node later cannot seal
   * anything else in their place. The newest checkpoint, also in the plain files; null where the log has stopped.
   */
  async sealEpoch(events: readonly AuditEvent[]): Promise<Uint8Array | null> {
    if (this.stopped === null) this.#reads.commit();
    const note = this.#seal((tx) => {
      this.appendAll(tx, events);
      return this.#nextEpoch(tx);
    });
    await this.#options.mirror?.settled();
    return note;
  }

  #seal(sign: (tx: Transaction) => Uint8Array | null): Uint8Array | null {
    this.#cancelCheckpoint?.();
    this.#cancelCheckpoint = null;
    if (this.stopped !== null) return null;
    try {
      this.#options.failpoint("audit.before-checkpoint");
      const nowMs = this.#options.clock.sinceBootMs();
      const note = this.#options.store.transaction(sign);
      this.#options.failpoint("audit.after-checkpoint");
      this.#lastCheckpointMs = nowMs;
      if (note !== null) this.#countedMs = nowMs;
      this.#options.mirror?.update();
      return note;
    } catch (error) {
      this.#stop(error);
      return null;
    }
  }

  /** Writes what is noted, the leaf of the stop and the last checkpoint, and waits for the mirror. Idempotent. */
  async close(reason = "stop"): Promise<void> {
    if (this.#closed) return;
    await this.folded.close();
    if (this.stopped === null) this.#reads.commit();
    this.#closed = true;
    this.#reads.stop();
    this.archive.close();
    if (this.stopped === null) {
      try {
        this.#options.store.transaction((tx) => this.#end(tx, reason));
        this.checkpoint();
      } catch (error) {
        this.#stop(error);
      }
    }
    this.#cancelCheckpoint?.();
    await this.#options.mirror?.settled();
  }

  #writeFolded(events: readonly AuditEvent[]): void {
    if (this.stopped !== null) return;
    try {
      // Synced beside the event loop: ten thousand nodes that come back together must not keep each other waiting.
      const synced = this.#options.store.transactionSyncedLater((tx) => void this.appendAll(tx, events));
      synced.catch((error: unknown) => this.#stop(error));
    } catch (error) {
      // A short disk may leave them out, and then counts them itself.
      if (!(error instanceof TidegateError) || error.code !== "AUDIT_FULL") this.#stop(error);
    }
  }

  #begin(tx: Transaction): LastStop {
    const writing = this.#options.storage.write(tx);
    const run = writing.mark("run");
    const lastStop: LastStop = run === null ? "first" : sameBytes(run, runMarks.clean) ? "clean" : "crash";
    const { version, role } = this.#options.node;
    const window = lastStop === "crash" ? { readWindowMs } : {};
    this.#full.restore(writing.mark("short"), { nowMs: this.#nowMs(), crashed: lastStop === "crash" });
    this.append(tx, ownEvent(this.#options.name, "node.start", { version, role, lastStop, ...window }));
    writing.putMark("run", runMarks.running);
    return lastStop;
  }

  #end(tx: Transaction, reason: string): void {
    this.append(tx, ownEvent(this.#options.name, "node.stop", { reason }));
    this.#options.storage.write(tx).putMark("run", runMarks.clean);
  }

  #sign(tx: Transaction): Uint8Array | null {
    const writing = this.#options.storage.write(tx);
    const tree: TreeState = loadTree(writing, this.cache);
    const last = writing.mark("checkpoint");
    if (tree.size === (last === null ? 0 : decodeCheckpoint(last).size)) return null;
    const ranMs = this.#ranMs(writing);
    if (ranMs >= epochEveryMs) return this.#nextEpoch(tx);
    const note = checkpointOf(this.#options, tree, writing.epochKey());
    writing.putMark("checkpoint", note);
    writing.putMark("ran", u64be(ranMs));
    return note;
  }

  /** How long the epoch has run, over restarts: what ran between the last checkpoint and a crash is not counted. */
  #ranMs(read: AuditRead): number {
    const before = read.mark("ran");
    const now = this.#options.clock.sinceBootMs();
    return (
      (before === null ? 0 : Number(Buffer.from(before).readBigUInt64BE())) + Math.max(0, Math.floor(now - this.#countedMs))
    );
  }

  /** Final checkpoint, succession, next key and the checkpoint by it: together or not at all. */
  #nextEpoch(tx: Transaction): Uint8Array {
    const writing = this.#options.storage.write(tx);
    const before = writing.epochKey();
    const { final, event, next } = epochChangeOf(this.#options, loadTree(writing, this.cache), before);
    writing.putMark(`final/${next.number - 1}`, final);
    this.append(tx, event);
    writing.putEpochKey(next);
    before?.seed.fill(0);
    this.#options.failpoint("audit.before-epoch");
    const note = checkpointOf(this.#options, loadTree(writing, this.cache), next);
    next.seed.fill(0);
    writing.putMark("checkpoint", note);
    writing.putMark("ran", u64be(0));
    return note;
  }

  #scheduleCheckpoint(): void {
    if (this.#closed || this.#cancelCheckpoint !== null) return;
    const since = this.#options.clock.sinceBootMs() - this.#lastCheckpointMs;
    const wait = Math.min(checkpointEveryMs, Math.max(0, checkpointEveryMs - since));
    this.#cancelCheckpoint = this.#options.timers.after(wait, () => this.checkpoint());
  }

  #gap(count: number): AuditEvent {
    return {
      ...ownEvent(this.#options.name, "audit.gap", { count, reason: "reads that could not be logged" }),
      outcome: "failed",
    };
  }

  #self(): { readonly kind: "node"; readonly id: string } {
    return { kind: "node", id: this.#options.name.node };
  }

  #nowMs(): number {
    return Math.max(0, Math.floor(this.#options.interval()[0]));
  }

  #stop(error: unknown): void {
    if (this.#stopped !== null) return;
    const code = error instanceof TidegateError ? error.code : "BUG";
    this.#stopped = code;
    this.#cancelCheckpoint?.();
    this.#reads.stop();
    this.#options.onStopped(code);
  }
}

const runMarks = { clean: utf8("clean"), running: utf8("running") } as const;

/** Opens the log: writes the leaf of the start, which tells how the last run ended, and a checkpoint over it. */
export function openAuditLog(options: AuditLogOptions): AuditLog {
  return new AuditLog(options);
}
