import { checkpointEveryMs, checkpointOf, epochChangeOf, epochEveryMs } from "../../agent/audit/index.ts";
import { type AuditEvent, decodeCheckpoint } from "../../protocol/audit/index.ts";
import { TidegateError, u64be } from "../../protocol/base/index.ts";
import type { VaultTransaction } from "../store/index.ts";
import { takeLease } from "./lease.ts";
import type { StandingTree } from "./standing-tree.ts";
import type { VaultLogOptions } from "./vault-log-options.ts";

const checkpointLease = "audit-checkpoint";

interface Options extends VaultLogOptions {
  readonly tree: StandingTree;
  append(tx: VaultTransaction, event: AuditEvent): Promise<void>;
}

/** Signs the checkpoints of the vault's log, in one process at a time, the holder of a lease, and ends its key epochs. */
export class VaultCheckpoints {
  readonly #options: Options;
  #cancel: (() => void) | null = null;
  #signing: Promise<void> = Promise.resolve();
  #closed = false;
  /** A key gave way in a transaction of another's: what is left of it on the disk goes with the next checkpoint. */
  #erasing = false;
  /** Up to when this process is counted in the epoch's running time, ms since boot. */
  #countedMs: number;

  constructor(options: Options) {
    this.#options = options;
    this.#countedMs = options.clock.sinceBootMs();
  }

  /** The first leaf after a checkpoint starts the time to the next one. */
  schedule(): void {
    if (this.#closed || this.#cancel !== null) return;
    this.#cancel = this.#options.timers.after(checkpointEveryMs, () => void this.sign());
  }

  /** Signs what was appended since the last checkpoint, where no other process does. Never throws. */
  sign(): Promise<void> {
    this.cancel();
    this.#signing = this.#signing.then(() => this.#sign());
    return this.#signing;
  }

  /** Final checkpoint, succession, next key and the checkpoint by it, which is returned: together or not at all. */
  async nextEpoch(tx: VaultTransaction): Promise<Uint8Array> {
    const { storage, tree } = this.#options;
    const writing = storage.write(tx);
    const { final, event, next } = epochChangeOf(this.#options, await tree.read(tx), await writing.epochKey());
    await writing.putMark(`final/${next.number - 1}`, final);
    await this.#options.append(tx, event);
    await writing.putEpochKey(next);
    const note = checkpointOf(this.#options, await tree.read(tx), next);
    await writing.putMark("checkpoint", note);
    await writing.putMark("ran", u64be(0));
    return note;
  }

  /** What is left on the disk of a key that gave way in `nextEpoch` goes with the next checkpoint. */
  eraseLater(): void {
    this.#erasing = true;
  }

  /** Takes back the next checkpoint that is due. */
  cancel(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** No more checkpoint becomes due; one that is asked for is still signed. */
  close(): void {
    this.#closed = true;
  }

  async #sign(): Promise<void> {
    const { store, clock, mirror, onFailed } = this.#options;
    if (store.stopped !== null) return;
    try {
      const nowMs = clock.sinceBootMs();
      const done = await store.transaction((tx) => this.#signIn(tx, nowMs));
      if (done === "other") this.schedule();
      // While another process signs, the time is counted there.
      if (done !== "nothing") this.#countedMs = nowMs;
      if (done === "erased" || this.#erasing) await store.forget();
      this.#erasing = false;
      mirror?.update();
    } catch (error) {
      onFailed(error instanceof TidegateError ? error.code : "BUG");
    }
  }

  async #signIn(tx: VaultTransaction, nowMs: number): Promise<"signed" | "erased" | "other" | "nothing"> {
    const { storage, clock, holder } = this.#options;
    const lease = { name: checkpointLease, holder, nowMs: clock.wallMs(), forMs: checkpointEveryMs };
    if (!(await takeLease(tx, lease))) return "other";
    const writing = storage.write(tx);
    const tree = await this.#options.tree.read(tx);
    const last = await writing.mark("checkpoint");
    if (tree.size === (last === null ? 0 : decodeCheckpoint(last).size)) return "nothing";
    const before = await writing.mark("ran");
    const ranMs = (before === null ? 0 : Number(Buffer.from(before).readBigUInt64BE())) + Math.floor(nowMs - this.#countedMs);
    if (ranMs >= epochEveryMs) {
      await this.nextEpoch(tx);
      return "erased";
    }
    await writing.putMark("checkpoint", checkpointOf(this.#options, tree, await writing.epochKey()));
    await writing.putMark("ran", u64be(ranMs));
    return "signed";
  }
}
