import { type AuditEvent, originOf } from "../../protocol/audit/index.ts";
import { asUint, decodeTcbor, encodeTcbor, utf8 } from "../../protocol/base/index.ts";
import type { AuditLog } from "../audit/index.ts";
import type { Store, Transaction } from "../store/index.ts";
import type { ForwardGap, LeafFeed } from "./contracts.ts";

const table = "forward";

/** The audit log of a gateway or an edge; positions lie in the node's own store. */
export function nodeFeed(store: Store, audit: AuditLog): LeafFeed {
  const { serial, node } = audit.name;
  const row = (target: string) => utf8(`${serial}/${target}`);
  const put = (tx: Transaction, target: string, next: number) => tx.put(table, row(target), encodePosition(next));
  return {
    origin: originOf(audit.name),
    size: () => audit.head().size,
    // Reads are committed before they are synced; an empty commit is synced with all before it, beside the event loop.
    settled: () => store.transactionSyncedLater(() => {}),
    leaves: (from, limit) => audit.leaves(from, limit),
    position: (target) => decodePosition(store.read((view) => view.get(table, row(target)))),
    savePosition: (target, next) => store.transactionSyncedLater((tx) => put(tx, target, next)),
    async savePast(gap) {
      store.transaction((tx) => {
        audit.append(tx, gapEvent(node, gap));
        put(tx, gap.target, gap.from + gap.count);
      });
    },
  };
}

/** For a row of its own. */
export function encodePosition(next: number): Uint8Array {
  return encodeTcbor(next);
}

/** Inverse of {@link encodePosition}; null where there is none. */
export function decodePosition(bytes: Uint8Array | null): number | null {
  return bytes === null ? null : asUint(decodeTcbor(bytes), "position");
}

/** The leaf that tells of a gap; the collector gets it in its turn. */
export function gapEvent(node: string, { target, from, count, reason }: ForwardGap): AuditEvent {
  const self = { kind: "node", id: node } as const;
  return { action: "forward.gap", actor: self, subject: self, outcome: "failed", details: { target, from, count, reason } };
}
