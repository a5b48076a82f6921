import { applyFromMedia, memberPost, ownReports, type Post, type PostItem } from "../agent/custody/index.ts";
import { upstreamOf } from "../agent/node/index.ts";
import { sameBytes, TidegateError } from "../protocol/base/index.ts";
import { mediaLimits } from "../protocol/media/index.ts";
import { nodeRole } from "../protocol/trust/index.ts";
import type { EdgeParts } from "./parts.ts";

/** The edge's side of media: its reports to the vault and its notices to the gateway out, its bundles in. */
export function edgePost({ node, audit, store, notices }: Pick<EdgeParts, "node" | "audit" | "store" | "notices">): Post {
  return {
    ...memberPost({ node, audit, store }),
    outgoing: () => [...ownReports(node), ...noticesFor(gatewayOf(node), notices)],
    wants: ({ kind, recipient }) => kind === "bundle" && sameBytes(recipient, node.nodeId),
    take: ({ carrier }) => applyFromMedia(node, carrier),
    reached: () => node.head(),
  };
}

function noticesFor(gateway: Uint8Array | null, notices: EdgeParts["notices"]): PostItem[] {
  if (gateway === null) return [];
  return notices
    .all(gateway, mediaLimits.files)
    .map(({ id, mailbox, carrier }) => ({ kind: "notice", id, recipient: mailbox, load: () => carrier }));
}

/** The gateway before this edge; null for an edge that was enrolled without one. */
function gatewayOf(node: EdgeParts["node"]): Uint8Array | null {
  try {
    return upstreamOf(node.trust(), nodeRole.gateway).nodeId;
  } catch (error) {
    if (error instanceof TidegateError) return null;
    throw error;
  }
}
