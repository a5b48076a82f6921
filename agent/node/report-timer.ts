import { TidegateError } from "../../protocol/base/index.ts";
import { nodeLimits } from "./limits.ts";
import type { NodeParts } from "./node-parts.ts";
import { sealReport } from "./seal-report.ts";

/** Seals a node's reports: a moment after something is to be said, so that one tells of several, and every few hours at least. */
export class ReportTimer {
  readonly #parts: NodeParts;
  readonly #outgoing = new Set<() => void>();
  #cancelReport: (() => void) | null = null;
  #cancelHeartbeat: (() => void) | null = null;
  #closed = false;

  constructor(parts: NodeParts) {
    this.#parts = parts;
  }

  /** The first report of a start, and the ones that a quiet node sends. */
  begin(): void {
    this.schedule();
    this.#scheduleHeartbeat();
  }

  /** Something is to be said. */
  schedule(): void {
    if (this.#closed) return;
    this.#cancelReport ??= this.#parts.seams.timers.after(nodeLimits.reportDelayMs, () => {
      this.#cancelReport = null;
      this.#seal();
    });
  }

  /** Seals at once what is to be said, if anything is. */
  flush(): void {
    if (this.#cancelReport === null) return;
    this.#cancelReport();
    this.#cancelReport = null;
    this.#seal();
  }

  /** Calls `listener` after each report; the return value ends that. */
  onOutgoing(listener: () => void): () => void {
    this.#outgoing.add(listener);
    return () => this.#outgoing.delete(listener);
  }

  /** Nothing is sealed any more. */
  close(): void {
    this.#closed = true;
    for (const cancel of [this.#cancelReport, this.#cancelHeartbeat]) cancel?.();
  }

  #seal(): void {
    const { records, store, log } = this.#parts;
    // A node that was not answered yet has nothing that the vault could take: it waits for its first snapshot.
    if (this.#closed || records.current.receiver.mode === "FRESH" || store.stopped !== null) return;
    try {
      while (sealReport(this.#parts));
    } catch (error) {
      if (!(error instanceof TidegateError)) throw error;
      log.error("report.failed", { error });
      return;
    }
    for (const listener of [...this.#outgoing]) listener();
  }

  #scheduleHeartbeat(): void {
    this.#cancelHeartbeat = this.#parts.seams.timers.after(nodeLimits.heartbeatMs, () => {
      this.schedule();
      this.#scheduleHeartbeat();
    });
  }
}
