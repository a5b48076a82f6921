import {
  type AuditRouteSource,
  decodeHead,
  defaultFullPolicy,
  FoldedLog,
  leavesAfter,
  readConsistencyBetweenLater,
  WhenFull,
} from "../../agent/audit/index.ts";
import type { ExportSource } from "../../agent/custody/index.ts";
import { type AuditEvent, type LogHead, rootOf, sequence, type TreeState } from "../../protocol/audit/index.ts";
import { sameBytes, TidegateError, utf8 } from "../../protocol/base/index.ts";
import type { AuditHead, ConsistencyProof, HeadCosignature } from "../../protocol/bundle/index.ts";
import type { VaultTransaction } from "../store/index.ts";
import type { VaultLog } from "../streams/index.ts";
import { anchoredSize, cosignedHeads, newestAnchor } from "./anchors.ts";
import { clockSetBackSince } from "./clock-set-back.ts";
import { PeerHeads, type ToldHeads } from "./peer-heads.ts";
import { StandingTree } from "./standing-tree.ts";
import { VaultArchive } from "./vault-archive.ts";
import { VaultCheckpoints } from "./vault-checkpoints.ts";
import type { VaultLogOptions } from "./vault-log-options.ts";
import { VaultSpace } from "./vault-space.ts";

const runMarks = { clean: utf8("clean"), running: utf8("running") } as const;

/**
 * The vault's audit log in its own store. Each append reads the tree that stands in its transaction, so any number of processes may
 * append.
 */
export class VaultAuditLog implements VaultLog {
  readonly folded: FoldedLog;
  readonly #options: VaultLogOptions;
  readonly #tree: StandingTree;
  #closed = false;
  readonly #checkpoints: VaultCheckpoints;
  readonly #heads: PeerHeads;
  readonly #archive: VaultArchive;
  /** What the log does while the disk is short. */
  readonly space: VaultSpace;
  readonly #full: WhenFull;

  constructor(options: VaultLogOptions) {
    this.#options = options;
    this.#tree = new StandingTree(options.storage);
    const { clock, timers } = options;
    this.folded = new FoldedLog({ clock, timers, write: (events) => this.#writeFolded(events) });
    const append = (tx: VaultTransaction, event: AuditEvent) => this.append(tx, event);
    this.#checkpoints = new VaultCheckpoints({ ...options, tree: this.#tree, append });
    this.#heads = new PeerHeads({ ...options, tree: this.#tree, append });
    this.#archive = new VaultArchive({ ...options, log: this });
    this.#full = new WhenFull(options.whenFull ?? defaultFullPolicy);
    const nowMs = () => this.#nowMs();
    this.space = new VaultSpace({ ...options, full: this.#full, nowMs, append });
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
    this.#checkpoints.schedule();
  }

  /**
   * Writes the leaves of a start, which tell how the last run ended, what opened the vault and whether its clock is behind the newest entry, and
   * signs a checkpoint over them.
   */
  async begin({
    version,
    unlockedBy,
  }: {
    readonly version: string;
    readonly unlockedBy: string;
  }): Promise<{ clockSetBack: boolean }> {
    const clockSetBack = await this.#options.store.transaction(async (tx) => {
      const writing = this.#options.storage.write(tx);
      const run = await writing.mark("run");
      const lastStop = run === null ? "first" : sameBytes(run, runMarks.clean) ? "clean" : "crash";
      this.#full.restore(await writing.mark("short"), { nowMs: this.#nowMs(), crashed: lastStop === "crash" });
      const { size } = await this.#tree.read(tx);
      const [newest] = size === 0 ? [] : await writing.leaves(size - 1, 1);
      const setBack = newest === undefined ? null : clockSetBackSince(newest, this.#nowMs());
      await this.append(tx, this.#own("node.start", { version, role: "vault", lastStop }));
      if (setBack !== null) await this.append(tx, this.#own("clock.setback", setBack));
      await this.append(tx, this.#own("vault.unlock", { by: unlockedBy }));
      await writing.putMark("run", runMarks.running);
      return setBack !== null;
    });
    await this.checkpoint();
    await this.#archive.resume();
    return { clockSetBack };
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
    await this.#checkpoints.nextEpoch(tx);
    this.#checkpoints.eraseLater();
  }

  async sinceAnchor(tx: VaultTransaction): Promise<number> {
    const tree = await this.#tree.read(tx);
    return tree.size - (await anchoredSize(tx, this.#options.name.serial));
  }

  /** Signs what was appended since the last checkpoint, where no other process does. Never throws. */
  checkpoint(): Promise<void> {
    return this.#checkpoints.sign();
  }

  /** Appends `events`, ends the epoch with a checkpoint over them and begins the next, also in the plain files. Throws VAULT_STORE_*. */
  async sealEpoch(events: readonly AuditEvent[]): Promise<Uint8Array> {
    const { store, mirror } = this.#options;
    const note = await store.transaction(async (tx) => {
      for (const event of events) await this.append(tx, event);
      return this.#checkpoints.nextEpoch(tx);
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
    this.#checkpoints.close();
    this.#archive.close();
    if (this.#options.store.stopped === null) {
      await this.#options.store.transaction(async (tx) => {
        await this.append(tx, this.#own("node.stop", { reason: "stop" }));
        await this.#options.storage.write(tx).putMark("run", runMarks.clean);
      });
      await this.checkpoint();
    }
    this.#checkpoints.cancel();
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

  #headOf(tree: TreeState): LogHead {
    return { serial: this.#options.name.serial, size: tree.size, root: rootOf(tree) };
  }

  #own<Action extends "node.start" | "node.stop" | "vault.unlock" | "clock.setback">(
    action: Action,
    details: Extract<AuditEvent, { readonly action: Action }>["details"],
  ): AuditEvent {
    const self = { kind: "node", id: this.#options.name.node } as const;
    return { action, actor: self, subject: self, outcome: "ok", details } as AuditEvent;
  }
}
