import { type JoinedNode, nodeMailroom } from "../../agent/node/index.ts";
import type { Mailroom } from "../../agent/tunnel/index.ts";
import type { NoticeBook } from "./notice-book.ts";

/** An edge's mailroom: its bundles in, its notices to the gateway and its reports to the vault out. */
export function edgeMailroom(node: JoinedNode, notices: NoticeBook): Mailroom {
  const own = nodeMailroom(node);
  return {
    ...own,
    async outgoing(peer, request) {
      // Small, and an application waits for them.
      const first = notices.items(peer.nodeId, request);
      const items = request.items - first.length;
      return items === 0 ? first : [...first, ...(await own.outgoing(peer, { ...request, items }))];
    },
    acknowledged: (peer, item, outcome) => (notices.settled(item, outcome) ? undefined : own.acknowledged(peer, item, outcome)),
  };
}
