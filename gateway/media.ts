import {
  applyFromMedia,
  type IncomingItem,
  memberPost,
  ownReports,
  type Post,
  type PostItem,
  type Taken,
} from "../agent/custody/index.ts";
import { sameBytes } from "../protocol/base/index.ts";
import type { GatewayMailroom } from "./gateway-mailroom.ts";
import type { JoinForward } from "./join-forward.ts";
import { gatewayLimits } from "./limits.ts";
import type { Way } from "./mailbox/index.ts";
import type { NoticeDesk } from "./notices/index.ts";
import type { GatewayParts } from "./parts.ts";

export interface GatewayPostOptions extends Pick<GatewayParts, "node" | "audit" | "store" | "mailboxes" | "conduits"> {
  readonly mailroom: GatewayMailroom;
  readonly joins: JoinForward;
  readonly notices: NoticeDesk;
}

/** The gateway's side of media: what is its own, and what it carries between the vault and the edges behind it. */
export function gatewayPost(options: GatewayPostOptions): Post {
  const { node, audit, store, mailboxes, conduits, joins } = options;
  const { nodeId, vaultMailbox } = node;
  const isOwn = (recipient: Uint8Array) => sameBytes(recipient, nodeId);
  return {
    ...memberPost({ node, audit, store }),
    outgoing: () => [
      ...joins.items.map(({ id, carrier }): PostItem => ({ kind: "join", id, recipient: noMailbox, load: () => carrier })),
      ...ownReports(node),
      ...conduits.nodeIds.flatMap((edge) => [...passing(options, edge, "up"), ...passing(options, edge, "down")]),
    ],
    wants({ kind, recipient }, writer) {
      if (kind === "join") return true;
      if (kind === "notice") return isOwn(recipient);
      if (kind === "report") return sameBytes(recipient, vaultMailbox) && conduits.has(writer);
      return isOwn(recipient) || conduits.has(recipient);
    },
    take: (item) => take(options, item),
    reached({ kind, recipient, signer }) {
      if (kind === "report") return signer === null ? null : mailboxes.head(signer, "up");
      if (kind === "bundle") return isOwn(recipient) ? node.head() : mailboxes.head(recipient, "down");
      return null;
    },
  };
}

/** A node that joins does not know its vault's mailbox yet. */
const noMailbox = new Uint8Array(20);

function passing({ mailboxes, node }: GatewayPostOptions, edge: Uint8Array, way: Way): PostItem[] {
  const items: PostItem[] = [];
  let after: { epoch: number; seq: number } | null = null;
  for (;;) {
    const found = mailboxes.items(edge, way, after, gatewayLimits.scanItems);
    for (const { place } of found) {
      const { epoch, seq, id } = place;
      const load = () => {
        const [next] = mailboxes.items(edge, way, { epoch, seq: seq - 1 }, 1);
        return next !== undefined && sameBytes(next.place.id, id) ? next.carrier : null;
      };
      items.push(
        way === "up"
          ? { kind: "report", id, recipient: node.vaultMailbox, load }
          : { kind: "bundle", id, recipient: edge, load },
      );
      after = place;
    }
    if (found.length < gatewayLimits.scanItems) return items;
  }
}

function take({ node, mailroom, joins, notices }: GatewayPostOptions, item: IncomingItem): Taken {
  const { kind, id, carrier, recipient, writer } = item;
  if (kind === "bundle" && sameBytes(recipient, node.nodeId)) return applyFromMedia(node, carrier);
  if (kind === "join") {
    // Its answer comes with the bundles for the edge; where the vault says nothing in time, the request is read again.
    void joins.ask(carrier);
    return { outcome: "held", code: null };
  }
  if (kind === "notice") notices.take(carrier);
  else if (kind === "bundle") mailroom.pass({ mailbox: recipient, id, carrier }, "down", recipient);
  else mailroom.pass({ mailbox: recipient, id, carrier }, "up", writer);
  return { outcome: "applied", code: null };
}
