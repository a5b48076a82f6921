import type { AuditLog } from "../agent/audit/index.ts";
import type { Log } from "../agent/log/index.ts";
import { type JoinedNode, upstreamOf } from "../agent/node/index.ts";
import type { ProxyRoute } from "../agent/proxy/index.ts";
import type { Seams } from "../agent/seams/index.ts";
import {
  type Dial,
  type DialledTunnel,
  dialTunnel,
  type Listen,
  listenTunnel,
  type Mailroom,
  socketDial,
  socketListen,
  type TunnelEvent,
  type TunnelListener,
  type TunnelNode,
  type TunnelReporter,
  tunnelLeaf,
} from "../agent/tunnel/index.ts";
import { sameBytes, toHex } from "../protocol/base/index.ts";
import { nodeIdText } from "../protocol/keys/index.ts";
import { nodeRole } from "../protocol/trust/index.ts";
import { type TunnelTrust, tunnelTrust } from "../protocol/tunnel/index.ts";
import type { JoinForward } from "./join-forward.ts";
import type { Conduits } from "./parts.ts";

export interface TunnelsOptions {
  readonly node: JoinedNode;
  readonly audit: Pick<AuditLog, "folded">;
  readonly mailroom: Mailroom;
  readonly joins: JoinForward;
  readonly conduits: Conduits;
  readonly seams: Seams;
  readonly log: Log;
  /** `host:port` of the vault. */
  readonly vault: string;
  /** `host:port` for edges, or null. */
  readonly edges: string | null;
  /** Takes edges behind a proxy that inspects TLS. */
  readonly allowProxies: boolean;
  /** What stands between us and the vault. */
  readonly proxy: ProxyRoute | null;
  /** The ways out of the process; sockets unless given. */
  readonly dial?: Dial | undefined;
  readonly listen?: Listen | undefined;
}

/** Dials the vault. Throws ADDRESS_INVALID; never listens towards it. */
export function dialVault(options: TunnelsOptions): DialledTunnel {
  const { node, vault, joins } = options;
  const report = reporter(options);
  return dialTunnel({
    node: tunnelNode(options),
    peer: () => upstreamOf(node.trust(), nodeRole.vault).nodeId,
    address: vault,
    dial: options.dial ?? socketDial(node.identity.tls, options.proxy),
    nextCounter: () => node.nextTunnelCounter(),
    report(event) {
      if (event.name === "tunnel.opened") joins.sessionBegan();
      report(event);
    },
  });
}

/** Listens for the edges that the vault put behind this gateway. Throws ADDRESS_INVALID, LINK_LISTEN. */
export async function listenForEdges(options: TunnelsOptions, address: string): Promise<TunnelListener> {
  const { node, conduits, joins } = options;
  return listenTunnel({
    node: tunnelNode(options),
    address,
    listen: options.listen ?? socketListen(node.identity.tls, { allowProxies: options.allowProxies }),
    admit: (peer) => peer.role === nodeRole.edge && conduits.has(peer.nodeId),
    onJoin: (carrier) => joins.ask(carrier),
    report: reporter(options),
  });
}

function tunnelNode({ node, mailroom, seams }: TunnelsOptions): TunnelNode {
  return {
    nodeId: node.nodeId,
    signing: node.identity.signing,
    member: () => node.member().envelope,
    trust: () => rememberingTrust(node),
    learn: (statements) => node.learn(statements),
    mailroom,
    seams,
  };
}

/** A member statement that a peer proves itself by is kept: it verifies the acknowledgements in that peer's reports. */
function rememberingTrust(node: JoinedNode): TunnelTrust {
  const wrap = (trust: TunnelTrust): TunnelTrust => ({
    ...trust,
    learn: (statements) => wrap(trust.learn(statements)),
    member(statement) {
      const peer = trust.member(statement);
      const held = node.trust().members.get(toHex(peer.nodeId));
      if (held === undefined || !sameBytes(held.envelope, statement)) node.learn([statement]);
      return peer;
    },
  });
  return wrap(tunnelTrust(node.trust()));
}

function reporter({ log, node, audit }: Pick<TunnelsOptions, "log" | "node" | "audit">): TunnelReporter {
  const self = nodeIdText(node.nodeId);
  return (event: TunnelEvent) => {
    const leaf = tunnelLeaf(event, self);
    if (leaf !== null) audit.folded.note(leaf);
    const peer = "peer" in event && event.peer !== null ? { peer: event.peer.name } : {};
    const remote = "remote" in event ? { address: event.remote } : {};
    const code = "code" in event ? { code: event.code } : {};
    const delay = event.name === "tunnel.dial-failed" ? { delayMs: event.retryInMs } : {};
    log.info(event.name, { ...peer, ...remote, ...code, ...delay });
  };
}
