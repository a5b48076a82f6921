import { setImmediate as turn } from "node:timers/promises";
import { type AuditEvent, tileWidth } from "../../protocol/audit/index.ts";
import { TidegateError } from "../../protocol/base/index.ts";
import type { Failpoint, Timers } from "../seams/index.ts";
import type { Store, Transaction, View } from "../store/index.ts";
import { type ArchiveState, decodeArchiveState, freeSome, noteArchived } from "./archive-state.ts";
import { decodeHead } from "./head-codec.ts";
import type { AuditMirror } from "./mirror.ts";
import type { AuditStorage } from "./storage.ts";

/** The old part of a log, as it goes to media. */
export interface ArchiveSource {
  /** The first entry that the node holds itself. */
  held(): number | Promise<number>;
  /** Entries, counted from the first, that may go once they are sealed: whole bundles that another party vouches for. */
  archivable(): number | Promise<number>;
  /** Leaves that the node holds. */
  leaves(from: number, limit: number): Uint8Array[] | Promise<Uint8Array[]>;
  /**
   * Appends `event`, which says that the entries before `until` lie on a medium, and frees them once a checkpoint covers it. Where it does not
   * come to its end, the next start does.
   */
  archive(event: AuditEvent, until: number): Promise<void>;
}

export interface LogArchiveOptions {
  readonly store: Store;
  readonly storage: AuditStorage<View, Transaction>;
  readonly timers: Timers;
  /** Names `audit.before-archive`, `audit.after-archive`, `audit.before-free` and `audit.after-free`. */
  readonly failpoint: Failpoint;
  readonly mirror: AuditMirror | null;
}

/** What the log itself does for its archive. */
export interface ArchivedLog {
  readonly stopped: string | null;
  append(tx: Transaction, event: AuditEvent): { readonly index: number };
  checkpoint(): Uint8Array | null;
}

/** How long after a start freeing goes on that was broken off, ms: reads come first. */
const resumeAfterMs = 5_000;

/** {@link ArchiveSource} of a node's log over its synchronous store. */
export class LogArchive implements ArchiveSource {
  readonly #options: LogArchiveOptions;
  readonly #log: ArchivedLog;
  #cancel = () => {};
  #closed = false;

  constructor(log: ArchivedLog, options: LogArchiveOptions) {
    this.#log = log;
    this.#options = options;
  }

  held(): number {
    return this.#state().held;
  }

  archivable(): number {
    const { store, storage } = this.#options;
    return store.read((view) => wholeBundles(decodeHead(storage.read(view).mark("acknowledged"))?.size ?? 0));
  }

  leaves(from: number, limit: number): Uint8Array[] {
    const { store, storage } = this.#options;
    return store.read((view) => storage.read(view).leaves(from, limit));
  }

  async archive(event: AuditEvent, until: number): Promise<void> {
    const { store, storage, failpoint, mirror } = this.#options;
    failpoint("audit.before-archive");
    store.transaction((tx) => {
      const { index } = this.#log.append(tx, event);
      noteArchived(storage.write(tx), until, index);
    });
    failpoint("audit.after-archive");
    // Nothing goes before the log itself, sealed, says where it is.
    if (this.#log.checkpoint() === null) return;
    await this.#free();
    await mirror?.settled();
  }

  /** Goes on, later, with what a crash broke off. */
  resume(): void {
    const { held, freed } = this.#state();
    if (freed >= held) return;
    this.#cancel = this.#options.timers.after(resumeAfterMs, () => {
      this.#free().catch((error: unknown) => {
        // The writer has stopped, and whoever stopped it was told; the next start goes on.
        if (!(error instanceof TidegateError)) throw error;
      });
    });
  }

  /** Frees nothing more: the store is about to be closed, and the next start goes on. */
  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  async #free(): Promise<void> {
    const { store, storage, failpoint } = this.#options;
    for (let more = true; more && !this.#closed && this.#log.stopped === null; await turn()) {
      failpoint("audit.before-free");
      more = store.transaction((tx) => freeSome(storage.write(tx)));
      failpoint("audit.after-free");
    }
  }

  #state(): ArchiveState {
    const { store, storage } = this.#options;
    return store.read((view) => decodeArchiveState(storage.read(view).mark("archive")));
  }
}

/** `size` down to a whole number of entry bundles. */
export function wholeBundles(size: number): number {
  return size - (size % tileWidth);
}
