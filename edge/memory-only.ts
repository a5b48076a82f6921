import { memoryOnlyGone, type ReadableCredential } from "../agent/local-api/index.ts";
import type { JoinedNode } from "../agent/node/index.ts";
import type { Clock } from "../agent/seams/index.ts";
import type { Store, View } from "../agent/store/index.ts";
import { assert, toHex } from "../protocol/base/index.ts";
import {
  type AccountContent,
  type ContentView,
  decodeContent,
  entryType,
  type FreshnessRules,
  type Held,
} from "../protocol/content/index.ts";
import { isUnsettled } from "../protocol/rotation/index.ts";
import { endOrder, hasEnded, readAccount } from "./rotation/index.ts";

/**
 * True where the edge's own work needs an account's values on its disk: it may be rotated here, or was, or its attempts are counted. A
 * rotation's intent must be durable before a device is touched.
 */
export function needsDisk(view: View, { entry, content }: Held<AccountContent>): boolean {
  if (content.rotate !== "never") return true;
  const account = readAccount(view, entry.id);
  if (account === null) return false;
  const { state, rotated } = account.record;
  return rotated || state.history.length > 0 || state.candidates.length > 1 || state.spent > 0 || isUnsettled(state);
}

/** The value of a path that only memory holds; null for every other path. Throws API_MEMORY_ONLY where it ended with the last process. */
export function memoryCredential(
  path: string,
  { node, clock, freshness }: { readonly node: JoinedNode; readonly clock: Clock; readonly freshness: FreshnessRules },
): ReadableCredential | null {
  const value = node.memoryOnly(path);
  if (value === null) return null;
  if (value === "gone") throw memoryOnlyGone();
  const account = node.entry({ type: entryType.account, id: value.accountId });
  const content = account === null ? null : decodeContent(account.type, account.payload);
  if (content?.kind !== "account") return null;
  return {
    username: content.username,
    version: `${value.index.epoch}.${value.index.number}`,
    source: "vault",
    currentSinceMs: Math.min(value.takenAtMs, clock.sinceBootMs()),
    rotation: "idle",
    expiresAt: null,
    freshness: freshness.at(path),
    openFields() {
      const held = node.entry(value);
      assert(held !== null, "the value is held while it is served");
      const credential = decodeContent(held.type, held.payload);
      held.payload.fill(0);
      held.bytes.fill(0);
      assert(credential.kind === "credential", "a value's entry is a credential");
      return credential.fields;
    },
    alternates: () => [],
  };
}

/** A state without the accounts whose values only memory holds: nothing is begun on a device for them. */
export function withoutMemoryOnly(view: ContentView, node: JoinedNode): ContentView {
  const { held, gone } = node.status().memoryOnly;
  if (held + gone === 0) return view;
  const left = new Set([...view.accounts].flatMap(([key, { content }]) => (isOut(node, content.path) ? [key] : [])));
  const stays = ([key]: readonly [string, unknown]) => !left.has(key);
  return {
    ...view,
    accounts: new Map([...view.accounts].filter(stays)),
    credentials: new Map([...view.credentials].filter(stays)),
  };
}

function isOut(node: JoinedNode, path: string): boolean {
  return node.memoryOnly(path) !== null;
}

/** Orders about such accounts end refused: a login's attempts would have to be counted on disk. Throws STORE_*. */
export function refuseOrders(view: ContentView, { node, store }: { readonly node: JoinedNode; readonly store: Store }): void {
  const open = store.read((rows) =>
    [...view.orders.values()].filter(({ entry, content }) => {
      const path = view.accounts.get(toHex(content.accountId))?.content.path;
      return path !== undefined && isOut(node, path) && !hasEnded(rows, entry.id);
    }),
  );
  if (open.length === 0) return;
  const end = { outcome: "refused", code: "EDGE_MEMORY_ONLY" } as const;
  store.transaction((tx) =>
    node.queueReport(
      tx,
      open.map(({ entry }) => endOrder(tx, entry.id, end)),
    ),
  );
}
