import { decodeHead, encodeHead, readConsistencyLater, readRootLater } from "../../agent/audit/index.ts";
import {
  type AuditEvent,
  checkpointText,
  cosign,
  cosignatureOn,
  judgePeerHead,
  type LogHead,
  originOf,
  witnessKeyName,
} from "../../protocol/audit/index.ts";
import { sameBytes, toBase32 } from "../../protocol/base/index.ts";
import type { AuditHead, ConsistencyProof, HeadCosignature } from "../../protocol/bundle/index.ts";
import type { VaultTransaction } from "../store/index.ts";
import { provenByNode } from "./anchors.ts";
import type { StandingTree } from "./standing-tree.ts";
import type { VaultLogOptions } from "./vault-log-options.ts";

/** What a node tells of heads: its own with the proof from the one that was proven before, and the newest of ours that it proved. */
export interface ToldHeads {
  readonly head: AuditHead | null;
  readonly proof: ConsistencyProof | null;
  readonly ours: AuditHead | null;
}

export interface PeerHeadsOptions extends Pick<VaultLogOptions, "storage" | "name" | "clock" | "witness"> {
  readonly tree: StandingTree;
  readonly append: (tx: VaultTransaction, event: AuditEvent) => Promise<void>;
}

/** The heads of other logs that the vault's log vouches for, and what other nodes hold of the vault's. */
export class PeerHeads {
  readonly #options: PeerHeadsOptions;

  constructor(options: PeerHeadsOptions) {
    this.#options = options;
  }

  async proofFor(tx: VaultTransaction, nodeId: Uint8Array): Promise<ConsistencyProof | null> {
    const held = await provenByNode(tx, nodeId);
    const reading = this.#options.storage.read(tx);
    const tree = await this.#options.tree.read(tx);
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
    const tree = await this.#options.tree.read(tx);
    if (head.serial !== this.#options.name.serial || head.size > tree.size) return false;
    return sameBytes(await readRootLater(reading, head.size, tree), head.root);
  }

  async heard(tx: VaultTransaction, nodeId: Uint8Array, told: ToldHeads): Promise<boolean> {
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
      await this.#options.append(tx, {
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
}
