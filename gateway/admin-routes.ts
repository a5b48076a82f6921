import { type AdminRoute, adminRoute } from "../agent/admin/index.ts";
import { auditRoute } from "../agent/audit/index.ts";
import { nodeHealth } from "../agent/node/index.ts";
import { proxyLoginRoutes } from "../agent/proxy/index.ts";
import type { DialledTunnel } from "../agent/tunnel/index.ts";
import { nodeIdText } from "../protocol/keys/index.ts";
import type { GatewayParts } from "./parts.ts";

/** The gateway's calls on its admin socket. */
export function adminRoutes(parts: GatewayParts): AdminRoute[] {
  return [
    adminRoute({ method: "GET", path: "/v1/status", handle: () => statusOf(parts) }),
    adminRoute({ method: "GET", path: "/v1/mailboxes", handle: () => mailboxesOf(parts) }),
    ...proxyLoginRoutes(parts.store),
    auditRoute(parts.audit),
  ];
}

function statusOf(parts: GatewayParts) {
  const { node, audit, credentials, conduits, mailboxes } = parts;
  const { statement } = node.member();
  const { serial, size } = audit.head();
  return {
    role: "gateway",
    nodeId: nodeIdText(node.nodeId),
    name: statement.name,
    zone: statement.zone,
    ...node.status(),
    time: node.time(),
    health: nodeHealth(parts),
    tunnel: tunnelStatus(parts.vault()),
    edges: conduits.nodeIds.map((nodeId) => ({
      nodeId: nodeIdText(nodeId),
      name: conduits.nameOf(nodeId),
      connected: parts.edges()?.sessionFor(nodeId) != null,
    })),
    mailboxBytes: mailboxes.totalBytes,
    credentials: credentials.count,
    applications: credentials.applications.length,
    audit: { serial, size, eventsSinceAnchor: audit.eventsSinceAnchor() },
  };
}

function mailboxesOf({ mailboxes, conduits }: GatewayParts) {
  return mailboxes.list().map(({ edge, way, items, bytes }) => ({
    nodeId: nodeIdText(edge),
    name: conduits.nameOf(edge),
    way,
    items,
    bytes,
  }));
}

function tunnelStatus(tunnel: DialledTunnel | null) {
  const status = tunnel?.status();
  if (status === undefined) return { state: "none" };
  if (status.state !== "open") return status;
  const { remote, connectedSinceMs, lastHeardMs, session } = status.facts;
  return { state: status.state, remote, connectedSinceMs, lastHeardMs, session };
}
