import type { Log } from "../../agent/log/index.ts";
import type { Seams } from "../../agent/seams/index.ts";
import {
  type JoinAnswer,
  type Listen,
  listenTunnel,
  type TunnelEvent,
  type TunnelListener,
  type TunnelNode,
  tunnelLeaf,
} from "../../agent/tunnel/index.ts";
import { assert, TidegateError, toHex } from "../../protocol/base/index.ts";
import { nodeIdText } from "../../protocol/keys/index.ts";
import { type TunnelPeer, type TunnelTrust, tunnelTrust } from "../../protocol/tunnel/index.ts";
import { answerJoin } from "../enrolment/index.ts";
import { memberStatement } from "../identity/index.ts";
import { activeNodes } from "../registry/index.ts";
import type { VaultCore } from "../streams/index.ts";
import { trustRefreshMs } from "./limits.ts";
import { VaultMailroom } from "./vault-mailroom.ts";

export interface VaultTunnelOptions {
  readonly core: VaultCore;
  readonly listen: Listen;
  /** host:port. */
  readonly address: string;
  readonly log: Log;
  readonly seams: Pick<Seams, "clock" | "timers" | "random">;
  /** How often it is looked whether another process changed whom to trust, ms. */
  readonly refreshMs?: number;
}

/** What a handshake asks, as last read from the store. */
interface Admitted {
  readonly trust: TunnelTrust;
  readonly member: Uint8Array;
  /** The gateway, or the node itself, through which each node is reached; by id in hexadecimal. */
  readonly through: ReadonlyMap<string, Uint8Array>;
}

/** The vault's tunnel server: gateways dial in, new nodes send their join requests. */
export class VaultTunnel {
  readonly #options: VaultTunnelOptions;
  #admitted: Admitted | null = null;
  #listener: TunnelListener | null = null;
  #cancel: (() => void) | null = null;
  #closed = false;

  constructor(options: VaultTunnelOptions) {
    this.#options = options;
  }

  /** Listens. Throws ADDRESS_INVALID and LINK_LISTEN. */
  async open(): Promise<void> {
    const { core, listen, address, seams } = this.#options;
    await this.refresh();
    const mailroom = new VaultMailroom({
      core,
      wake: (nodeIds) => this.wake(nodeIds),
      refused: (peer, code) => this.#options.log.warn("item.refused", { peer: peer.name, code }),
    });
    const node: TunnelNode = {
      nodeId: core.keys.identity.nodeId,
      signing: core.keys.identity.signing,
      member: () => this.#held().member,
      trust: () => this.#held().trust,
      // The vault is where statements come from; it learns none from a peer.
      learn: () => {},
      mailroom,
      seams,
    };
    this.#listener = await listenTunnel({
      node,
      address,
      listen,
      admit: (peer) => this.#admits(peer),
      onJoin: (carrier, remote) => this.#answer(carrier, remote),
      report: (event) => this.#report(event),
    });
    this.#refreshLater();
  }

  /** Where it listens, with the port that the system gave. */
  get address(): { host: string; port: number } {
    return this.#listener?.address ?? { host: "", port: 0 };
  }

  /** Something to send was stored for these nodes. Returns at once. */
  wake(nodeIds: readonly Uint8Array[]): void {
    if (nodeIds.length === 0) return;
    // A node that has just joined is reached through a gateway that the last reading did not know of.
    this.refresh().then(
      () => {
        for (const nodeId of nodeIds) this.#listener?.wake(this.#held().through.get(toHex(nodeId)) ?? nodeId);
      },
      (error) => this.#options.log.error("trust.unread", { error }),
    );
  }

  /** True while this node, or the gateway before it, has a session. */
  connected(nodeId: Uint8Array): boolean {
    const peer = this.#admitted?.through.get(toHex(nodeId)) ?? nodeId;
    return this.#listener?.sessionFor(peer) != null;
  }

  /** Reads again whom to let in, and ends the sessions of those who may no more. */
  async refresh(): Promise<void> {
    const { core } = this.#options;
    const before = this.#admitted?.trust.rootVersion;
    this.#admitted = await core.store.read(async (tx) => {
      const member = await memberStatement(tx, core.keys.identity.nodeId);
      assert(member !== null, "the vault has its own statement");
      const nodes = await activeNodes(tx);
      return {
        trust: tunnelTrust(await core.trust.read(tx)),
        member,
        through: new Map(nodes.map((node) => [toHex(node.node_id), node.via ?? node.node_id])),
      };
    });
    // A peer learns a new root in the handshake of its next session.
    const newRoot = before !== undefined && this.#admitted.trust.rootVersion > before;
    for (const { peer } of this.#listener?.sessions() ?? [])
      if (newRoot || !this.#admits(peer)) this.#listener?.drop(peer.nodeId);
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    await this.#listener?.close();
  }

  /** Who dials the vault itself: gateways, and edges that were enrolled without one. */
  #admits(peer: TunnelPeer): boolean {
    const through = this.#held().through.get(toHex(peer.nodeId));
    return through !== undefined && toHex(through) === toHex(peer.nodeId);
  }

  #held(): Admitted {
    assert(this.#admitted !== null, "the tunnel is open");
    return this.#admitted;
  }

  async #answer(carrier: Uint8Array, remote: string): Promise<JoinAnswer> {
    try {
      const answered = await answerJoin(this.#options.core, carrier);
      await this.refresh();
      this.wake(answered.reached);
      this.#options.log.info("node.joined", { node: nodeIdText(answered.nodeId), address: remote });
      return { carrier: answered.carrier };
    } catch (error) {
      if (!(error instanceof TidegateError)) throw error;
      this.#options.log.warn("join.refused", { address: remote, code: error.code });
      return { refuse: error.code };
    }
  }

  #refreshLater(): void {
    const { seams, refreshMs = trustRefreshMs } = this.#options;
    this.#cancel = seams.timers.after(refreshMs, () => {
      this.refresh()
        .catch((error) => this.#options.log.error("trust.unread", { error }))
        .finally(() => {
          if (!this.#closed) this.#refreshLater();
        });
    });
  }

  #report(event: TunnelEvent): void {
    const { log, core } = this.#options;
    const leaf = tunnelLeaf(event, nodeIdText(core.keys.identity.nodeId));
    if (leaf !== null) core.log.folded.note(leaf);
    switch (event.name) {
      case "tunnel.opened":
        return log.info("tunnel.opened", { peer: event.peer.name, address: event.remote, id: event.session });
      case "tunnel.closed":
        return log.info("tunnel.closed", {
          address: event.remote,
          code: event.code,
          ...(event.peer === null ? {} : { peer: event.peer.name }),
        });
      case "tunnel.item-refused":
        return log.warn("tunnel.item-refused", { peer: event.peer.name, id: event.id, outcome: event.outcome });
      case "join.refused":
        return log.warn("join.refused", { address: event.remote, code: event.code });
      case "join.answered":
      case "tunnel.dial-failed":
        return;
    }
  }
}
