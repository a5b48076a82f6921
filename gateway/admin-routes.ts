import { type AdminRoute, adminRoute } from "../agent/admin/index.ts";
import { auditRoute } from "../agent/audit/index.ts";
import { missingAt } from "../agent/config/index.ts";
import { spaceCheck } from "../agent/member/index.ts";
import { hopStatus, nodeHealth } from "../agent/node/index.ts";
import { proxyLoginRoutes } from "../agent/proxy/index.ts";
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
  const { node, audit, credentials, applications, conduits, mailboxes } = parts;
  const { statement } = node.member();
  const { serial, size } = audit.head();
  return {
    role: "gateway",
    nodeId: nodeIdText(node.nodeId),
    name: statement.name,
    zone: statement.zone,
    ...node.status(),
    time: node.time(),
    health: nodeHealth(parts, [spaceCheck(parts.space)]),
    way: { way: parts.way, missing: missingAt(parts.way) },
    tunnel: hopStatus(parts.hop),
    edges: conduits.nodeIds.map((nodeId) => ({
      nodeId: nodeIdText(nodeId),
      name: conduits.nameOf(nodeId),
      connected: parts.edges()?.sessionFor(nodeId) != null,
      silentS: silentSeconds(parts, nodeId),
    })),
    mailboxBytes: mailboxes.totalBytes,
    credentials: credentials.count,
    applications: applications.current.length,
    audit: { serial, size, eventsSinceAnchor: audit.eventsSinceAnchor() },
    forward: parts.forwards(),
    space: { ...parts.space.facts, dropped: parts.audit.space.dropped },
  };
}

/** Since this edge was heard in its session; null while it has none. */
function silentSeconds({ edges, hop }: GatewayParts, nodeId: Uint8Array): number | null {
  const heardMs = edges()?.sessionFor(nodeId)?.lastHeardMs;
  return heardMs === undefined ? null : Math.max(0, Math.floor((hop.nowMs() - heardMs) / 1000));
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
