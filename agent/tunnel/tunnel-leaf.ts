import { nodeIdText } from "../../protocol/keys/index.ts";
import { nodeRole } from "../../protocol/trust/index.ts";
import type { TunnelPeer } from "../../protocol/tunnel/index.ts";
import type { FoldedEvent } from "../audit/index.ts";
import type { TunnelEvent } from "./tunnel-node.ts";

const roleNames = Object.fromEntries(Object.entries(nodeRole).map(([name, role]) => [role, name]));

/**
 * What the audit log of the node `self` (its id as the log writes it) says of an event; null where that is nothing: nobody proved anything,
 * or another leaf says it. Addresses are without ports, so that who tries again shares a leaf.
 */
export function tunnelLeaf(event: TunnelEvent, self: string): FoldedEvent | null {
  const subject = { kind: "node", id: self } as const;
  switch (event.name) {
    case "tunnel.opened": {
      const { peer, remote } = event;
      const details = { role: roleNames[peer.role] ?? "unknown", address: hostOf(remote) };
      return { action: "tunnel.open", actor: actorOf(peer), subject, outcome: "ok", details };
    }
    case "tunnel.closed": {
      const { peer, remote, code, wasOpen } = event;
      const actor = actorOf(peer);
      if (wasOpen) return { action: "tunnel.close", actor, subject, outcome: "ok", details: { reason: code } };
      return { action: "tunnel.refuse", actor, subject, outcome: "denied", code, details: { address: hostOf(remote) } };
    }
    case "join.refused": {
      const details = { address: hostOf(event.remote) };
      return { action: "node.enroll", actor: actorOf(null), subject, outcome: "denied", code: event.code, details };
    }
    case "tunnel.dial-failed":
    case "tunnel.item-refused":
    case "join.answered":
      return null;
  }
}

function actorOf(peer: TunnelPeer | null) {
  return { kind: "node", id: peer === null ? "unknown" : nodeIdText(peer.nodeId) } as const;
}

/** `host:port` without the port. */
function hostOf(remote: string): string {
  return remote.replace(/:\d+$/, "");
}
