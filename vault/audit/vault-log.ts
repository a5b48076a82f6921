import {
  type AuditRouteSource,
  checkpointEveryMs,
  checkpointOf,
  decodeHead,
  defaultFullPolicy,
  epochChangeOf,
  epochEveryMs,
  FoldedLog,
  leavesAfter,
  readConsistencyBetweenLater,
  WhenFull,
} from "../../agent/audit/index.ts";
import type { ExportSource } from "../../agent/custody/index.ts";
import {
  type AuditEvent,
  decodeCheckpoint,
  type LogHead,
  rootOf,
  sequence,
  type TreeState,
} from "../../protocol/audit/index.ts";
import { sameBytes, TidegateError, u64be, utf8 } from "../../protocol/base/index.ts";
import type { AuditHead, ConsistencyProof, HeadCosignature } from "../../protocol/bundle/index.ts";
import type { VaultTransaction } from "../store/index.ts";
import type { VaultLog } from "../streams/index.ts";
import { anchoredSize, cosignedHeads, newestAnchor } from "./anchors.ts";
import { takeLease } from "./lease.ts";
import { PeerHeads, type ToldHeads } from "./peer-heads.ts";
import { StandingTree } from "./standing-tree.ts";
import { VaultArchive } from "./vault-archive.ts";
import type { VaultLogOptions } from "./vault-log-options.ts";
import { VaultSpace } from "./vault-space.ts";

const checkpointLease = "audit-checkpoint";
const runMarks = { clean: utf8("clean"), running: utf8("running") } as const;

/**
 * The vault's audit log in its own store. Each append reads the tree that stands in its transaction, so any number of processes may
 * append; one at a time, the holder of a lease, signs checkpoints.
 */
export class VaultAuditLog implements VaultLog {
  readonly folded: FoldedLog;
  readonly #options: VaultLogOptions;
  readonly #tree: StandingTree;
  #cancel: (() => void) | null = null;
  #signing: Promise<void> = Promise.resolve();
  #closed = false;
  /** A key gave way in a transaction of another's: what is left of it on the disk goes with the next checkpoint. */
  #erasing = false;
  /** Up to when this process is counted in the epoch's running time, ms since boot. */
  #countedMs: number;
  readonly #heads: PeerHeads;
  readonly #archive: VaultArchive;
  /** What the log does while the disk is short. */
  readonly space: VaultSpace;
  readonly #full: WhenFull;

  constructor(options: VaultLogOptions) {
    this.#options = options;
    this.#tree = new StandingTree(options.storage);
    this.#countedMs = options.clock.sinceBootMs();
    const { clock, timers } = options;
    this.folded = new FoldedLog({ clock, timers, write: (events) => this.#writeFolded(events) });
    this.#heads = new PeerHeads({ ...options, tree: this.#tree, append: (tx, event) => this.append(tx, event) });
    this.#archive = new VaultArchive({ ...options, log: this });
    this.#full = new WhenFull(options.whenFull ?? defaultFullPolicy);
    const nowMs = () => this.#nowMs();
    this.space = new VaultSpace({ ...options, full: this.#full, nowMs, append: (tx, event) => this.append(tx, event) });
  }

  async append(tx: VaultTransaction, event: AuditEvent): Promise<void> {
    const writing = this.#options.storage.write(tx);
    const admitted = this.#full.admit([event], () => this.#nowMs());
    if (this.#full.short) await writing.putMark("short", this.#full.encode());
    if (admitted.length === 0) return;
    const tree = await this.#tree.read(tx);
    const { state, rows } = sequence(tree, leavesAfter(this.#options, tree, admitted));
    await writing.append(rows);
    this.#tree.appended(tx, rows, state);
    this.#schedule();
  }

  /** Writes the leaves of a start, which tell how the last run ended and what opened the vault, and signs a checkpoint over them. */
  async begin({ version, unlockedBy }: { readonly version: string; readonly unlockedBy: string }): Promise<void> {
    await this.#options.store.transaction(async (tx) => {
      const writing = this.#options.storage.write(tx);
      const run = await writing.mark("run");
      const lastStop = run === null ? "first" : sameBytes(run, runMarks.clean) ? "clean" : "crash";
      this.#full.restore(await writing.mark("short"), { nowMs: this.#nowMs(), crashed: lastStop === "crash" });
      await this.append(tx, this.#own("node.start", { version, role: "vault", lastStop }));
      await this.append(tx, this.#own("vault.unlock", { by: unlockedBy }));
      await writing.putMark("run", runMarks.running);
    });
    await this.checkpoint();
    await this.#archive.resume();
  }

  async head(tx: VaultTransaction): Promise<LogHead> {
    return this.#headOf(await this.#tree.read(tx));
  }

  proofFor(tx: VaultTransaction, nodeId: Uint8Array): Promise<ConsistencyProof | null> {
    return this.#heads.proofFor(tx, nodeId);
  }

  provenHead(tx: VaultTransaction, nodeId: Uint8Array): Promise<AuditHead | null> {
    return this.#heads.provenHead(tx, nodeId);
  }

  cosignature(tx: VaultTransaction, nodeId: Uint8Array, head: AuditHead): Promise<HeadCosignature | null> {
    return this.#heads.cosignature(tx, nodeId, head);
  }

  hasHad(tx: VaultTransaction, head: AuditHead): Promise<boolean> {
    return this.#heads.hasHad(tx, head);
  }

  heard(tx: VaultTransaction, nodeId: Uint8Array, told: ToldHeads): Promise<boolean> {
    return this.#heads.heard(tx, nodeId, told);
  }

  async reopen(tx: VaultTransaction, reason: string): Promise<void> {
    const { storage, name } = this.#options;
    const writing = storage.write(tx);
    const old = this.#headOf(await this.#tree.read(tx));
    const told = decodeHead(await writing.mark("lost"));
    const lost = told === null || (await this.hasHad(tx, told)) ? null : told;
    const root = (head: LogHead) => Buffer.from(head.root).toString("base64");
    await this.append(tx, {
      action: "audit.reopen",
      actor: { kind: "operator", id: "local" },
      subject: { kind: "log", id: `${name.serial}` },
      outcome: "ok",
      details: {
        reason,
        oldSerial: old.serial,
        oldSize: old.size,
        oldRoot: root(old),
        ...(lost === null ? {} : { ackedSize: lost.size, ackedRoot: root(lost) }),
      },
    });
    await this.#nextEpoch(tx);
    this.#erasing = true;
  }

  async sinceAnchor(tx: VaultTransaction): Promise<number> {
    const tree = await this.#tree.read(tx);
    return tree.size - (await anchoredSize(tx, this.#options.name.serial));
  }

  /** Signs what was appended since the last checkpoint, where no other process does. Never throws. */
  checkpoint(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    this.#signing = this.#signing.then(() => this.#sign());
    return this.#signing;
  }

  /** Appends `events`, ends the epoch with a checkpoint over them and begins the next, also in the plain files. Throws VAULT_STORE_*. */
  async sealEpoch(events: readonly AuditEvent[]): Promise<Uint8Array> {
    const { store, mirror } = this.#options;
    const note = await store.transaction(async (tx) => {
      for (const event of events) await this.append(tx, event);
      return this.#nextEpoch(tx);
    });
    await store.forget();
    mirror?.update();
    await mirror?.settled();
    return note;
  }

  /** What the admin API shows of the log. */
  asSource(): AuditRouteSource {
    const { store, storage } = this.#options;
    const head = () => store.read(async (tx) => this.#headOf(await this.#tree.read(tx)));
    return {
      head,
      leaves: (from, limit) => store.read((tx) => storage.read(tx).leaves(from, limit)),
      eventsSinceAnchor: () => store.read((tx) => this.sinceAnchor(tx)),
    };
  }

  /** What an export of the log takes; `about` is the vault's id, hexadecimal. */
  asExport(vaultId: string): ExportSource {
    const { store, storage, name, mirror, clock } = this.#options;
    return {
      name,
      size: () => store.read(async (tx) => (await this.#tree.read(tx)).size),
      files: () => mirror?.files ?? null,
      time: () => [clock.wallMs(), clock.wallMs()],
      about: () => ({ nodeName: "vault", role: "vault", vaultId }),
      seal: (events) => this.sealEpoch(events),
      anchor: () => store.read((tx) => newestAnchor(tx, name.serial)),
      proof: (from, size) => store.read((tx) => readConsistencyBetweenLater(storage.read(tx), from, size)),
      cosigned: () => store.read(cosignedHeads),
      archive: this.#archive,
      append: (event) => store.transaction((tx) => this.append(tx, event)),
    };
  }

  /** Writes the leaf of the stop and the last checkpoint. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    await this.folded.close();
    this.#closed = true;
    this.#archive.close();
    if (this.#options.store.stopped === null) {
      await this.#options.store.transaction(async (tx) => {
        await this.append(tx, this.#own("node.stop", { reason: "stop" }));
        await this.#options.storage.write(tx).putMark("run", runMarks.clean);
      });
      await this.checkpoint();
    }
    this.#cancel?.();
    await this.#options.mirror?.settled();
  }

  async #writeFolded(events: readonly AuditEvent[]): Promise<void> {
    const { store, onFailed } = this.#options;
    if (store.stopped !== null) return;
    try {
      await store.transaction(async (tx) => {
        for (const event of events) await this.append(tx, event);
      });
    } catch (error) {
      onFailed(error instanceof TidegateError ? error.code : "BUG");
    }
  }

  #nowMs(): number {
    return Math.max(0, Math.floor(this.#options.clock.wallMs()));
  }

  async #sign(): Promise<void> {
    const { store, storage, clock, holder, mirror, onFailed } = this.#options;
    if (store.stopped !== null) return;
    try {
      const nowMs = clock.sinceBootMs();
      const done = await store.transaction(async (tx): Promise<"signed" | "erased" | "other" | "nothing"> => {
        const lease = { name: checkpointLease, holder, nowMs: clock.wallMs(), forMs: checkpointEveryMs };
        if (!(await takeLease(tx, lease))) return "other";
        const writing = storage.write(tx);
        const tree = await this.#tree.read(tx);
        const last = await writing.mark("checkpoint");
        if (tree.size === (last === null ? 0 : decodeCheckpoint(last).size)) return "nothing";
        const before = await writing.mark("ran");
        const ranMs =
          (before === null ? 0 : Number(Buffer.from(before).readBigUInt64BE())) + Math.floor(nowMs - this.#countedMs);
        if (ranMs >= epochEveryMs) {
          await this.#nextEpoch(tx);
          return "erased";
        }
        await writing.putMark("checkpoint", checkpointOf(this.#options, tree, await writing.epochKey()));
        await writing.putMark("ran", u64be(ranMs));
        return "signed";
      });
      if (done === "other") this.#schedule();
      // While another process signs, the time is counted there.
      if (done !== "nothing") this.#countedMs = nowMs;
      if (done === "erased" || this.#erasing) await store.forget();
      this.#erasing = false;
      mirror?.update();
    } catch (error) {
      onFailed(error instanceof TidegateError ? error.code : "BUG");
    }
  }

  /** Final checkpoint, succession, next key and the checkpoint by it: together or not at all. */
  async #nextEpoch(tx: VaultTransaction): Promise<Uint8Array> {
    const writing = this.#options.storage.write(tx);
    const tree = await this.#tree.read(tx);
    const { final, event, next } = epochChangeOf(this.#options, tree, await writing.epochKey());
    await writing.putMark(`final/${next.number - 1}`, final);
    await this.append(tx, event);
    await writing.putEpochKey(next);
    const note = checkpointOf(this.#options, await this.#tree.read(tx), next);
    await writing.putMark("checkpoint", note);
    await writing.putMark("ran", u64be(0));
    return note;
  }

  /** The first leaf after a checkpoint starts the time to the next one. */
  #schedule(): void {
    if (this.#closed || this.#cancel !== null) return;
    this.#cancel = this.#options.timers.after(checkpointEveryMs, () => void this.checkpoint());
  }

  #headOf(tree: TreeState): LogHead {
    return { serial: this.#options.name.serial, size: tree.size, root: rootOf(tree) };
  }

  #own<Action extends "node.start" | "node.stop" | "vault.unlock">(
    action: Action,
    details: Extract<AuditEvent, { readonly action: Action }>["details"],
  ): AuditEvent {
    const self = { kind: "node", id: this.#options.name.node } as const;
    return { action, actor: self, subject: self, outcome: "ok", details } as AuditEvent;
  }
}
