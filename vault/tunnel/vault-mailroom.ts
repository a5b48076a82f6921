import type { Mailroom, OutgoingRequest } from "../../agent/tunnel/index.ts";
import { compareBytes, sameBytes, TidegateError, toHex } from "../../protocol/base/index.ts";
import { decodeReceiver } from "../../protocol/bundle/index.ts";
import type { CourierItem, ItemKey, ItemOutcome } from "../../protocol/courier/index.ts";
import { decodeCarrier, decodeEnvelope } from "../../protocol/envelope/index.ts";
import { nodeIdText } from "../../protocol/keys/index.ts";
import { nodeRole } from "../../protocol/trust/index.ts";
import type { StreamHead, TunnelPeer } from "../../protocol/tunnel/index.ts";
import { answerJoin } from "../enrolment/index.ts";
import { IngestError, ingestCarrier } from "../ingest/index.ts";
import type { VaultTransaction } from "../store/index.ts";
import { type VaultCore, vaultMailbox } from "../streams/index.ts";

export interface MailroomOptions {
  readonly core: VaultCore;
  /** New items wait for these nodes. */
  wake(nodeIds: readonly Uint8Array[]): void;
  /** An item was refused; its code, for the log. */
  refused(peer: TunnelPeer, code: string): void;
}

/** What this session's peer has already: kept for the session only, the outbox shrinks on the recipient's own word. */
interface PeerState {
  readonly acknowledged: Set<string>;
  heads: readonly StreamHead[];
}

/** The vault's side of its tunnels: reports and join requests in, the outboxes of the nodes behind each gateway out. */
export class VaultMailroom implements Mailroom {
  readonly #options: MailroomOptions;
  readonly #peers = new Map<string, PeerState>();

  constructor(options: MailroomOptions) {
    this.#options = options;
  }

  async heads(peerId: Uint8Array): Promise<StreamHead[]> {
    return this.#options.core.store.read(async (tx) => {
      const rows = await tx
        .selectFrom("streams")
        .select(["node_id", "receiver"])
        .where("node_id", "in", mailboxesBehind(tx, peerId))
        .orderBy("node_id")
        .execute();
      return rows.map(({ node_id: nodeId, receiver }) => {
        const { head, epoch } = decodeReceiver(receiver);
        return head === null ? { nodeId, epoch, seq: 0, id: new Uint8Array(32) } : { nodeId, ...head };
      });
    });
  }

  opened(peer: TunnelPeer, heads: readonly StreamHead[]): void {
    this.#peers.set(toHex(peer.nodeId), { acknowledged: new Set(), heads });
  }

  async outgoing(peer: TunnelPeer, request: OutgoingRequest): Promise<CourierItem[]> {
    const state = this.#peers.get(toHex(peer.nodeId));
    return this.#options.core.store.read(async (tx) => {
      const items: CourierItem[] = [];
      let bytes = 0;
      for (const mailbox of rotated(await fullMailboxes(tx, peer.nodeId), request.after)) {
        const head = state?.heads.find((each) => sameBytes(each.nodeId, mailbox));
        const rows = await tx
          .selectFrom("outbox")
          .select(["id", "epoch", "seq"])
          .where("node_id", "=", mailbox)
          .orderBy("epoch")
          .orderBy("seq")
          .execute();
        for (const { id, epoch, seq } of rows) {
          const held = head !== undefined && (epoch < head.epoch || (epoch === head.epoch && seq <= head.seq));
          if (held || state?.acknowledged.has(toHex(id)) || !request.wants({ mailbox, id })) continue;
          const row = await tx
            .selectFrom("outbox")
            .select("carrier")
            .where("node_id", "=", mailbox)
            .where("id", "=", id)
            .executeTakeFirstOrThrow();
          items.push({ mailbox, id, carrier: row.carrier });
          bytes += row.carrier.length;
          if (items.length >= request.items || bytes > request.bytes) return items;
        }
      }
      return items;
    });
  }

  acknowledged(peer: TunnelPeer, item: ItemKey, outcome: ItemOutcome): void {
    // "full" is offered again; everything else is settled as far as this hop is concerned.
    if (outcome === "full") return;
    this.#peers.get(toHex(peer.nodeId))?.acknowledged.add(toHex(item.id));
    if (outcome !== "stored") this.#options.refused(peer, `item ${outcome}`);
  }

  async accept(peer: TunnelPeer, item: CourierItem): Promise<ItemOutcome> {
    let isJoin = false;
    try {
      if (!sameBytes(item.mailbox, vaultMailbox(this.#options.core)))
        throw new IngestError("INGEST_UNEXPECTED", "for another mailbox");
      const { type } = decodeEnvelope(decodeCarrier(item.carrier).envelope);
      isJoin = type === "join";
      if (isJoin) return await this.#acceptJoin(peer, item);
      const { outcome, code, reached } = await ingestCarrier(this.#options.core, item.carrier);
      this.#options.wake(reached);
      if (code !== null) this.#options.refused(peer, code);
      return outcome === "refused" ? "refused" : "stored";
    } catch (error) {
      // What was sent is at fault: it will never be taken. Anything else closes the session, and the item comes again.
      if (!(error instanceof TidegateError) || error.fault === "environment") throw error;
      this.#options.refused(peer, error.code);
      this.#options.core.log.folded.note({
        action: isJoin ? "node.enroll" : "report.refuse",
        actor: { kind: "node", id: nodeIdText(peer.nodeId) },
        subject: { kind: "node", id: "vault" },
        outcome: "denied",
        code: error.code,
      });
      return "refused";
    }
  }

  /** A gateway passes on the request of an edge; the answer waits in the edge's outbox, which goes through that gateway. */
  async #acceptJoin(peer: TunnelPeer, item: CourierItem): Promise<ItemOutcome> {
    if (peer.role !== nodeRole.gateway)
      throw new IngestError("INGEST_UNEXPECTED", "a join request from a node that is no gateway");
    const { carrier, nodeId, reached } = await answerJoin(this.#options.core, item.carrier);
    // Asked again: whatever the gateway did with the answer before, it needs it now.
    const answer = toHex(decodeEnvelope(decodeCarrier(carrier).envelope).id);
    this.#peers.get(toHex(peer.nodeId))?.acknowledged.delete(answer);
    this.#options.wake([nodeId, ...reached]);
    return "stored";
  }
}

/** Asks for the peer itself and the nodes that go through it. */
function mailboxesBehind(tx: VaultTransaction, nodeId: Uint8Array) {
  return tx
    .selectFrom("nodes")
    .select("node_id")
    .where("state", "<>", "replaced")
    .where((eb) => eb.or([eb("node_id", "=", nodeId), eb("via", "=", nodeId)]));
}

/** Those of them for which something waits, by ascending id. */
async function fullMailboxes(tx: VaultTransaction, nodeId: Uint8Array): Promise<Uint8Array[]> {
  const rows = await tx
    .selectFrom("outbox")
    .select("node_id")
    .distinct()
    .where("node_id", "in", mailboxesBehind(tx, nodeId))
    .orderBy("node_id")
    .execute();
  return rows.map((row) => row.node_id);
}

/** `mailboxes` from the one after `after` on, wrapping round. */
function rotated(mailboxes: readonly Uint8Array[], after: Uint8Array | null): readonly Uint8Array[] {
  const from = after === null ? 0 : mailboxes.findIndex((each) => compareBytes(each, after) > 0);
  return from <= 0 ? mailboxes : [...mailboxes.slice(from), ...mailboxes.slice(0, from)];
}
