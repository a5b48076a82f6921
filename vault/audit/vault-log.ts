import {
  type AuditRouteSource,
  checkpointEveryMs,
  checkpointOf,
  decodeHead,
  defaultFullPolicy,
  encodeHead,
  epochChangeOf,
  epochEveryMs,
  FoldedLog,
  leavesAfter,
  readConsistencyBetweenLater,
  readConsistencyLater,
  readRootLater,
  WhenFull,
} from "../../agent/audit/index.ts";
import type { ExportSource } from "../../agent/custody/index.ts";
import {
  type AuditEvent,
  checkpointText,
  cosign,
  cosignatureOn,
  decodeCheckpoint,
  judgePeerHead,
  type LogHead,
  originOf,
  rootOf,
  sequence,
  type TreeState,
  witnessKeyName,
} from "../../protocol/audit/index.ts";
import { sameBytes, TidegateError, toBase32, u64be, utf8 } from "../../protocol/base/index.ts";
import type { AuditHead, ConsistencyProof, HeadCosignature } from "../../protocol/bundle/index.ts";
import type { VaultTransaction } from "../store/index.ts";
import type { VaultLog } from "../streams/index.ts";
import { anchoredSize, cosignedHeads, newestAnchor, provenByNode } from "./anchors.ts";
import { takeLease } from "./lease.ts";
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

  async proofFor(tx: VaultTransaction, nodeId: Uint8Array): Promise<ConsistencyProof | null> {
    const held = await provenByNode(tx, nodeId);
    const reading = this.#options.storage.read(tx);
    const tree = await this.#tree.read(tx);
    const { serial } = this.#options.name;
    if (held === null || held.serial !== serial || held.size === 0 || held.size >= tree.size) return null;
    return { serial, from: held.size, hashes: await readConsistencyLater(reading, held.size, tree) };
  }

  async provenHead(tx: VaultTransaction, nodeId: Uint8Array): Promise<AuditHead | null> {
    return decodeHead(await this.#options.storage.read(tx).mark(`peer/${toBase32(nodeId)}`));
  }

  async cosignature(tx: VaultTransaction, nodeId: Uint8Array, head: AuditHead): Promise<HeadCosignature | null> {
    const { storage, name } = this.#options;
    const node = toBase32(nodeId);
    const note = await storage.read(tx).mark(`cosigned/${node}`);
    const text = checkpointText(originOf({ trustDomain: name.trustDomain, node, serial: head.serial }), head);
    return note === null ? null : cosignatureOn(note, text, witnessKeyName(name.trustDomain, name.node));
  }

  async hasHad(tx: VaultTransaction, head: AuditHead): Promise<boolean> {
    const reading = this.#options.storage.read(tx);
    const tree = await this.#tree.read(tx);
    if (head.serial !== this.#options.name.serial || head.size > tree.size) return false;
    return sameBytes(await readRootLater(reading, head.size, tree), head.root);
  }

  async heard(
    tx: VaultTransaction,
    nodeId: Uint8Array,
    told: { head: AuditHead | null; proof: ConsistencyProof | null; ours: AuditHead | null },
  ): Promise<boolean> {
    if (told.ours !== null) await this.#acknowledge(tx, nodeId, told.ours);
    if (told.head === null) return false;
    const verdict = judgePeerHead(await this.provenHead(tx, nodeId), told.head, told.proof);
    if (verdict === "proven") {
      const writing = this.#options.storage.write(tx);
      await writing.putMark(`peer/${toBase32(nodeId)}`, encodeHead(told.head));
      await writing.putMark(`cosigned/${toBase32(nodeId)}`, this.#cosigned(toBase32(nodeId), told.head));
    }
    // No node of this version opens a second log: one that tells of one would have its anchor here forgotten.
    return verdict === "shorter" || verdict === "forked" || verdict === "reopened";
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

  /** A node says which head of ours it last proved: from there the next proof to it begins. */
  async #acknowledge(tx: VaultTransaction, nodeId: Uint8Array, ours: AuditHead): Promise<void> {
    const { serial } = this.#options.name;
    if (await this.hasHad(tx, ours)) {
      await tx
        .updateTable("streams")
        .set({ our_head: encodeHead(ours) })
        .where("node_id", "=", nodeId)
        .execute();
    } else if (ours.serial === serial) {
      const writing = this.#options.storage.write(tx);
      const lost = decodeHead(await writing.mark("lost"));
      if (lost === null || ours.size > lost.size) await writing.putMark("lost", encodeHead(ours));
      await this.append(tx, {
        action: "audit.fork",
        actor: { kind: "node", id: toBase32(nodeId) },
        subject: { kind: "log", id: this.#options.name.node },
        outcome: "failed",
        details: { size: ours.size, serial: ours.serial },
      });
    }
  }

  /**
   * By the rules of a C2SP witness: only a head that is proven to follow the last one that was cosigned. The node's signature that is
   * asked for is that of its report, which carries the head.
   */
  #cosigned(node: string, head: LogHead): Uint8Array {
    const { name, clock, witness } = this.#options;
    const text = checkpointText(originOf({ trustDomain: name.trustDomain, node, serial: head.serial }), head);
    const timeS = Math.max(0, Math.floor(clock.wallMs() / 1000));
    return cosign(text, timeS, { name: witnessKeyName(name.trustDomain, name.node), key: witness });
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
