import type { AuditLog } from "../agent/audit/index.ts";
import type { Log } from "../agent/log/index.ts";
import { type JoinedNode, type ReportOutgoing, reportOutgoing } from "../agent/node/index.ts";
import type { Store } from "../agent/store/index.ts";
import type { Mailroom, OutgoingRequest } from "../agent/tunnel/index.ts";
import { compareBytes, sameBytes, TidegateError, toHex } from "../protocol/base/index.ts";
import type { CourierItem, ItemKey, ItemOutcome } from "../protocol/courier/index.ts";
import { decodeCarrier } from "../protocol/envelope/index.ts";
import { nodeIdText } from "../protocol/keys/index.ts";
import { nodeRole } from "../protocol/trust/index.ts";
import type { StreamHead, TunnelPeer } from "../protocol/tunnel/index.ts";
import { GatewayError } from "./errors.ts";
import type { JoinForward } from "./join-forward.ts";
import { gatewayLimits } from "./limits.ts";
import { type Mailboxes, verifyPassing, type Way } from "./mailbox/index.ts";
import type { NoticeDesk } from "./notices/index.ts";

export interface GatewayMailroomOptions {
  readonly node: JoinedNode;
  readonly audit: AuditLog;
  readonly store: Store;
  readonly mailboxes: Mailboxes;
  readonly joins: JoinForward;
  readonly notices: NoticeDesk;
  readonly log: Log;
  /** Edges behind this gateway, by ascending node id. */
  edges(): readonly Uint8Array[];
  /** Something waits for the vault, or for an edge. */
  wakeVault(): void;
  wakeEdge(edge: Uint8Array): void;
}

/** What the peer of a present session has; the outboxes shrink on the recipient's own word only. */
interface PeerSession {
  readonly heads: ReadonlyMap<string, StreamHead>;
  readonly stored: Set<string>;
}

const noId = new Uint8Array(32);

/** The gateway's side of all its tunnels: its own items, and those that pass between the vault and the edges. */
export class GatewayMailroom implements Mailroom {
  readonly #options: GatewayMailroomOptions;
  readonly #own: ReportOutgoing;
  readonly #sessions = new Map<string, PeerSession>();
  /** Whose items went to the vault last: the edges take turns. */
  #lastEdge: Uint8Array = new Uint8Array(0);

  constructor(options: GatewayMailroomOptions) {
    this.#options = options;
    this.#own = reportOutgoing(options.node);
  }

  heads(peerId: Uint8Array): StreamHead[] {
    const { node } = this.#options;
    const edges = this.#options.edges();
    if (edges.some((edge) => sameBytes(edge, peerId))) return [this.#head(peerId, "up")];
    return [node.head(), ...edges.map((edge) => this.#head(edge, "down"))];
  }

  opened(peer: TunnelPeer, heads: readonly StreamHead[]): void {
    const session = { heads: new Map(heads.map((head) => [toHex(head.nodeId), head])), stored: new Set<string>() };
    this.#sessions.set(toHex(peer.nodeId), session);
    if (peer.role === nodeRole.vault) this.#own.opened(heads);
  }

  outgoing(peer: TunnelPeer, request: OutgoingRequest): CourierItem[] {
    if (peer.role !== nodeRole.vault) return this.#take(peer, [peer.nodeId], "down", request);
    const items: CourierItem[] = [...this.#own.items(request, (item) => request.wants(item))];
    const session = this.#sessions.get(toHex(peer.nodeId));
    for (const join of this.#options.joins.items) {
      if (items.length < request.items && !session?.stored.has(toHex(join.id)) && request.wants(join)) items.push(join);
    }
    const bytes = items.reduce((sum, { carrier }) => sum + carrier.length, 0);
    const left = { ...request, items: request.items - items.length, bytes: Math.max(0, request.bytes - bytes) };
    return left.items === 0 || (items.length > 0 && left.bytes === 0) ? items : [...items, ...this.#fromEdges(peer, left)];
  }

  acknowledged(peer: TunnelPeer, item: ItemKey, outcome: ItemOutcome): void {
    this.#options.joins.settled(item, outcome);
    if (outcome === "full") return;
    this.#sessions.get(toHex(peer.nodeId))?.stored.add(toHex(item.id));
    if (peer.role === nodeRole.vault) this.#own.stored(item);
  }

  accept(peer: TunnelPeer, item: CourierItem): ItemOutcome {
    const { node } = this.#options;
    const fromVault = peer.role === nodeRole.vault;
    if (fromVault && sameBytes(item.mailbox, node.nodeId)) return node.accept(item);
    try {
      if (fromVault) return this.pass(item, "down", item.mailbox);
      if (sameBytes(item.mailbox, node.nodeId)) return this.#options.notices.take(item.carrier);
      if (sameBytes(item.mailbox, node.vaultMailbox)) return this.pass(item, "up", peer.nodeId);
      throw new GatewayError("GATEWAY_NOT_FOR_HERE", "an edge sends to the vault and to this gateway");
    } catch (error) {
      return this.#refuse(peer, item, error);
    }
  }

  /** Verifies, stores and wakes who waits for it. Durable when this returns. Throws as `verifyPassing` and the mailbox do. */
  pass(item: CourierItem, way: Way, edge: Uint8Array): ItemOutcome {
    const { node, mailboxes, audit, joins } = this.#options;
    const { statements } = decodeCarrier(item.carrier);
    if (statements.length > 0) node.learn(statements);
    const passing = verifyPassing(item.carrier, { way, edge, trust: node.trust(), vaultMailbox: node.vaultMailbox });
    mailboxes.put(passing, item.carrier, (tx, { dropped }) => {
      if (dropped === 0) return;
      audit.append(tx, {
        action: "mailbox.drop",
        actor: { kind: "node", id: nodeIdText(node.nodeId) },
        subject: { kind: "stream", id: nodeIdText(edge) },
        outcome: "ok",
        details: { items: dropped, upTo: passing.place.seq },
      });
    });
    if (way === "down") {
      joins.arrived(edge, item.carrier);
      this.#options.wakeEdge(edge);
    } else this.#options.wakeVault();
    return "stored";
  }

  #refuse(peer: TunnelPeer, item: CourierItem, error: unknown): ItemOutcome {
    if (!(error instanceof TidegateError) || error.code.startsWith("STORE_")) throw error;
    this.#options.log.warn("item.refused", { code: error.code, peer: peer.name, id: toHex(item.id) });
    return error.retryable ? "full" : "refused";
  }

  #head(edge: Uint8Array, way: Way): StreamHead {
    const head = this.#options.mailboxes.head(edge, way);
    return { nodeId: edge, epoch: head?.epoch ?? 0, seq: head?.seq ?? 0, id: head?.id ?? noId };
  }

  #fromEdges(peer: TunnelPeer, request: OutgoingRequest): CourierItem[] {
    const edges = this.#options.edges();
    const from = edges.findIndex((edge) => compareBytes(edge, this.#lastEdge) > 0);
    const turned = from <= 0 ? edges : [...edges.slice(from), ...edges.slice(0, from)];
    return this.#take(peer, turned, "up", request);
  }

  /** Items of these edges in turn, oldest first within each, that the peer has not. */
  #take(peer: TunnelPeer, edges: readonly Uint8Array[], way: Way, request: OutgoingRequest): CourierItem[] {
    const { mailboxes, node } = this.#options;
    const session = this.#sessions.get(toHex(peer.nodeId));
    const items: CourierItem[] = [];
    let bytes = 0;
    for (const edge of edges) {
      const mailbox = way === "down" ? edge : node.vaultMailbox;
      const after = session?.heads.get(toHex(edge)) ?? null;
      for (const { place, carrier } of mailboxes.items(edge, way, after, gatewayLimits.scanItems)) {
        const item = { mailbox, id: place.id, carrier };
        if (session?.stored.has(toHex(place.id)) || !request.wants(item)) continue;
        items.push(item);
        bytes += carrier.length;
        if (way === "up") this.#lastEdge = edge;
        if (items.length >= request.items || bytes > request.bytes) return items;
      }
    }
    return items;
  }
}
