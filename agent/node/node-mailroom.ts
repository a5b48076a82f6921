import { sameBytes, toHex } from "../../protocol/base/index.ts";
import type { ItemKey } from "../../protocol/courier/index.ts";
import type { StreamHead } from "../../protocol/tunnel/index.ts";
import type { Mailroom } from "../tunnel/index.ts";
import type { JoinedNode, OutgoingReport } from "./contracts.ts";

/** Reports read from the outbox for one request; what is on its way already is skipped and must not hide what follows. */
const readAhead = 128;

/** What the peer of the present session has of our reports. */
class ReportCursor {
  #head: { readonly epoch: number; readonly seq: number } | null = null;
  readonly #stored = new Set<string>();

  /** A session begins: the peer's heads count, not what it said before. */
  opened(nodeId: Uint8Array, heads: readonly StreamHead[]): void {
    this.#head = heads.find((head) => sameBytes(head.nodeId, nodeId)) ?? null;
    this.#stored.clear();
  }

  stored(item: ItemKey): void {
    this.#stored.add(toHex(item.id));
  }

  get after(): { readonly epoch: number; readonly seq: number } | null {
    return this.#head;
  }

  has(item: ItemKey): boolean {
    return this.#stored.has(toHex(item.id));
  }
}

/** The outgoing half for our own reports; the gateway's mailroom has more beside it. */
export interface ReportOutgoing {
  opened(heads: readonly StreamHead[]): void;
  stored(item: ItemKey): void;
  items(limits: { items: number; bytes: number }, wants: (item: ItemKey) => boolean): OutgoingReport[];
}

/** Our own reports for the one peer that we dial. */
export function reportOutgoing(node: JoinedNode): ReportOutgoing {
  const cursor = new ReportCursor();
  return {
    opened: (heads) => cursor.opened(node.nodeId, heads),
    stored: (item) => cursor.stored(item),
    items({ items, bytes }, wants) {
      const found: OutgoingReport[] = [];
      let size = 0;
      for (const report of node.reports(cursor.after, { items: readAhead, bytes: Number.MAX_SAFE_INTEGER })) {
        if (cursor.has(report) || !wants(report)) continue;
        size += report.carrier.length;
        if (found.length > 0 && size > bytes) break;
        found.push(report);
        if (found.length === items) break;
      }
      return found;
    },
  };
}

/** The mailroom of a node that only speaks for itself, such as an edge: its bundles in, its reports out. */
export function nodeMailroom(node: JoinedNode): Mailroom {
  const outgoing = reportOutgoing(node);
  return {
    heads: () => [node.head()],
    opened: (_peer, heads) => outgoing.opened(heads),
    outgoing: (_peer, request) => outgoing.items(request, (item) => request.wants(item)),
    acknowledged: (_peer, item, outcome) => {
      if (outcome === "stored") outgoing.stored(item);
    },
    accept: (_peer, item) => node.accept(item),
  };
}
