import { setImmediate as turn } from "node:timers/promises";
import {
  type ArchiveSource,
  decodeArchiveState,
  freeSomeLater,
  noteArchivedLater,
  wholeBundles,
} from "../../agent/audit/index.ts";
import { type AuditEvent, decodeCheckpoint } from "../../protocol/audit/index.ts";
import { TidegateError } from "../../protocol/base/index.ts";
import type { VaultTransaction } from "../store/index.ts";
import { newestAnchor } from "./anchors.ts";
import type { VaultLogOptions } from "./vault-log-options.ts";

/** How long after a start freeing goes on that was broken off, ms: the vault's first work comes before. */
const resumeAfterMs = 5_000;

export interface VaultArchiveOptions
  extends Pick<VaultLogOptions, "store" | "storage" | "name" | "mirror" | "failpoint" | "timers"> {
  /** What the log itself does for its archive. */
  readonly log: {
    append(tx: VaultTransaction, event: AuditEvent): Promise<void>;
    head(tx: VaultTransaction): Promise<{ readonly size: number }>;
    checkpoint(): Promise<void>;
  };
}

/** The old part of the vault's log, as it goes to media. */
export class VaultArchive implements ArchiveSource {
  readonly #options: VaultArchiveOptions;
  #cancel = () => {};
  #closed = false;

  constructor(options: VaultArchiveOptions) {
    this.#options = options;
  }

  async held(): Promise<number> {
    return (await this.#state()).held;
  }

  archivable(): Promise<number> {
    const { store, name } = this.#options;
    return store.read(async (tx) => wholeBundles((await newestAnchor(tx, name.serial))?.size ?? 0));
  }

  leaves(from: number, limit: number): Promise<Uint8Array[]> {
    const { store, storage } = this.#options;
    return store.read((tx) => storage.read(tx).leaves(from, limit));
  }

  async archive(event: AuditEvent, until: number): Promise<void> {
    const { store, storage, log, failpoint, mirror } = this.#options;
    failpoint("audit.before-archive");
    const leaf = await store.transaction(async (tx) => {
      const { size } = await log.head(tx);
      await log.append(tx, event);
      await noteArchivedLater(storage.write(tx), until, size);
      return size;
    });
    failpoint("audit.after-archive");
    await log.checkpoint();
    // Nothing goes before the log itself, sealed, says where it is.
    if ((await this.#sealedSize()) <= leaf) return;
    await this.#free();
    await mirror?.settled();
  }

  /** Goes on, later, with what a crash broke off. */
  async resume(): Promise<void> {
    const { held, freed } = await this.#state();
    if (freed >= held) return;
    this.#cancel = this.#options.timers.after(resumeAfterMs, () => {
      this.#free().catch((error: unknown) => {
        // The store has stopped, and whoever stopped it was told; the next start goes on.
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
    for (let more = true; more && !this.#closed; await turn()) {
      failpoint("audit.before-free");
      more = await store.transaction((tx: VaultTransaction) => freeSomeLater(storage.write(tx)));
      failpoint("audit.after-free");
    }
  }

  async #sealedSize(): Promise<number> {
    const { store, storage } = this.#options;
    const note = await store.read((tx) => storage.read(tx).mark("checkpoint"));
    return note === null ? 0 : decodeCheckpoint(note).size;
  }

  async #state() {
    const { store, storage } = this.#options;
    return decodeArchiveState(await store.read((tx) => storage.read(tx).mark("archive")));
  }
}
