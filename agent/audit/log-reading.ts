import { decodeCheckpoint, type LogHead, type LogName, rootOf } from "../../protocol/audit/index.ts";
import { sameBytes, toBase32 } from "../../protocol/base/index.ts";
import type { Store, Transaction, View } from "../store/index.ts";
import { decodeHead, encodeHead } from "./head-codec.ts";
import type { LogContext } from "./log-context.ts";
import type { AuditMirror } from "./mirror.ts";
import { readConsistency, readConsistencyBetween, readRoot } from "./proofs.ts";
import type { AuditRead, AuditStorage } from "./storage.ts";
import { loadTree, TreeCache } from "./tree-cache.ts";

/** What reading a log takes. */
export type ReadingParts = Pick<LogContext, "name" | "interval"> & {
  readonly store: Store;
  readonly storage: AuditStorage<View, Transaction>;
  readonly mirror: AuditMirror | null;
};

/** What a log tells of itself, and the heads that it and its peers hold of each other. */
export class LogReading {
  protected readonly cache = new TreeCache();
  readonly #parts: ReadingParts;

  constructor(parts: ReadingParts) {
    this.#parts = parts;
  }

  /** The head that stands in `view`; pass the transaction to include its own leaves. */
  head(view?: View): LogHead {
    const tree = this.reading(view, (read) => loadTree(read, this.cache));
    return { serial: this.#parts.name.serial, size: tree.size, root: rootOf(tree) };
  }

  /** The newest checkpoint as it was signed; null before the first. */
  lastCheckpoint(): Uint8Array | null {
    return this.reading(undefined, (read) => read.mark("checkpoint"));
  }

  /** Consistency proof from the first `from` leaves to all that stand in `view`, for reports. */
  proofFrom(from: number, view?: View): Uint8Array[] {
    return this.reading(view, (read) => readConsistency(read, from, loadTree(read, this.cache)));
  }

  /** Consistency proof between two sizes that the log has had. */
  proofBetween(from: number, size: number): Uint8Array[] {
    return this.reading(undefined, (read) => readConsistencyBetween(read, from, size));
  }

  /** The log as plain files, see {@link AuditMirror.files}; null where there are none. */
  files(): AuditMirror["files"] | null {
    return this.#parts.mirror?.files ?? null;
  }

  /** Names the log. */
  get name(): LogName {
    return this.#parts.name;
  }

  /** The node's time in milliseconds, see {@link LogContext}. */
  time(): readonly [lo: number, hi: number | null] {
    return this.#parts.interval();
  }

  /** Leaves from `from` on, at most `limit`, each as its exact bytes. */
  leaves(from: number, limit: number): Uint8Array[] {
    return this.reading(undefined, (read) => read.leaves(from, limit));
  }

  /**
   * Takes our own head as the other side last proved it. `ahead`: the other side holds more leaves than we do, so this log lost
   * some. `fork`: it holds others. Neither is stored; both are for the caller to raise.
   */
  acknowledge(tx: Transaction, head: LogHead): "stored" | "older" | "ahead" | "fork" {
    const writing = this.#parts.storage.write(tx);
    const held = decodeHead(writing.mark("acknowledged"));
    if (head.serial !== this.#parts.name.serial) return head.serial < this.#parts.name.serial ? "older" : "ahead";
    const tree = loadTree(writing, this.cache);
    if (head.size > tree.size) return "ahead";
    if (!sameBytes(readRoot(writing, head.size, tree), head.root)) return "fork";
    if (held !== null && head.size <= held.size) return "older";
    writing.putMark("acknowledged", encodeHead(head));
    return "stored";
  }

  /** Our head that the other side last proved: where the next consistency proof begins. */
  acknowledged(view?: View): LogHead | null {
    return this.reading(view, (read) => decodeHead(read.mark("acknowledged")));
  }

  /** Keeps a head of ours under a witness's cosignature, verified by the caller; an older one than is held changes nothing. */
  storeCosigned(tx: Transaction, note: Uint8Array): void {
    const writing = this.#parts.storage.write(tx);
    const held = writing.mark(`cosigned/${this.#parts.name.node}`);
    if (held !== null && decodeCheckpoint(held).size >= decodeCheckpoint(note).size) return;
    writing.putMark(`cosigned/${this.#parts.name.node}`, note);
  }

  /** Our newest head that a witness cosigned, as a note; null before the first. */
  cosigned(): Uint8Array | null {
    return this.reading(undefined, (read) => read.mark(`cosigned/${this.#parts.name.node}`));
  }

  /** Leaves since the last anchor that others hold: what could be cut unseen. */
  eventsSinceAnchor(view?: View): number {
    return this.size(view) - (this.acknowledged(view)?.size ?? 0);
  }

  /** A peer's head that we last held proven, by node id. */
  peerHead(nodeId: Uint8Array, view?: View): LogHead | null {
    return this.reading(view, (read) => decodeHead(read.mark(`peer/${toBase32(nodeId)}`)));
  }

  /** Stores a peer's head that `judgePeerHead` called proven. */
  storePeerHead(tx: Transaction, nodeId: Uint8Array, head: LogHead): void {
    this.#parts.storage.write(tx).putMark(`peer/${toBase32(nodeId)}`, encodeHead(head));
  }

  /** Leaves that stand in `view`. */
  protected size(view?: View): number {
    return this.reading(view, (read) => loadTree(read, this.cache).size);
  }

  protected reading<T>(view: View | undefined, work: (read: AuditRead) => T): T {
    const { store, storage } = this.#parts;
    return view === undefined ? store.read((whole) => work(storage.read(whole))) : work(storage.read(view));
  }
}
