import type { AuditLog } from "../agent/audit/index.ts";
import type { Closing } from "../agent/closing/index.ts";
import type { Log } from "../agent/log/index.ts";
import { isTrusted, type JoinedNode, upstreamOf } from "../agent/node/index.ts";
import type { ProxyRoute } from "../agent/proxy/index.ts";
import type { Seams } from "../agent/seams/index.ts";
import { type Dial, type DialledTunnel, dialTunnel, socketDial, type TunnelEvent, tunnelLeaf } from "../agent/tunnel/index.ts";
import { nodeIdText } from "../protocol/keys/index.ts";
import { nodeRole } from "../protocol/trust/index.ts";
import { tunnelTrust } from "../protocol/tunnel/index.ts";
import { edgeMailroom, type NoticeBook } from "./notices/index.ts";

/** Where the edge dials, and with what. */
export interface UplinkOptions {
  readonly node: JoinedNode;
  readonly audit: Pick<AuditLog, "folded">;
  readonly notices: NoticeBook;
  /** The gateway's `host:port`. */
  readonly address: string;
  /** What stands between the edge and it. */
  readonly proxy?: ProxyRoute | null;
  readonly seams: Seams;
  readonly log: Log;
  /** Null dials sockets with the node's own certificate. */
  readonly dial: Dial | null;
  /** Takes what closes the tunnel. */
  readonly closing: Closing;
}

/** The tunnel to the one gateway that the edge's trust names. A module of its own, loaded after reads are served. */
export function openUplink({
  node,
  audit,
  notices,
  address,
  proxy = null,
  seams,
  log,
  dial,
  closing,
}: UplinkOptions): DialledTunnel {
  const tunnel = dialTunnel({
    node: {
      nodeId: node.nodeId,
      signing: node.identity.signing,
      member: () => node.member().envelope,
      trust: () => tunnelTrust(node.trust()),
      learn: (statements) => node.learn(statements),
      mailroom: edgeMailroom(node, notices),
      seams,
    },
    peer: () => upstreamOf(node.trust(), nodeRole.gateway).nodeId,
    address,
    dial: dial ?? socketDial(node.identity.tls, proxy),
    nextCounter: () => node.nextTunnelCounter(),
    report: (event) => {
      const leaf = tunnelLeaf(event, nodeIdText(node.nodeId));
      if (leaf !== null) audit.folded.note(leaf);
      logTunnel(log, event);
    },
  });
  closing.push(() => tunnel.close());
  closing.push(node.onChanged(() => dropStranger(tunnel, node)));
  closing.push(node.onOutgoing(() => tunnel.wake()));
  closing.push(notices.onDue(() => tunnel.wake()));
  return tunnel;
}

/** Ends the session with a gateway that is trusted no more: its successor is found at the next dial. */
function dropStranger(tunnel: DialledTunnel, node: JoinedNode): void {
  const status = tunnel.status();
  if (status.state === "open" && !isTrusted(node.trust(), status.facts.peer.nodeId)) tunnel.drop();
}

function logTunnel(log: Log, event: TunnelEvent): void {
  switch (event.name) {
    case "tunnel.dial-failed":
      return log.info(event.name, { code: event.code, delayMs: event.retryInMs });
    case "tunnel.opened":
      return log.info(event.name, { address: event.remote, id: event.session, peer: event.peer.name });
    case "tunnel.closed":
      return log.info(event.name, { address: event.remote, code: event.code });
    case "tunnel.item-refused":
      return log.warn(event.name, { id: event.id, outcome: event.outcome });
    case "join.answered":
    case "join.refused":
      return log.info(event.name, { address: event.remote });
  }
}
