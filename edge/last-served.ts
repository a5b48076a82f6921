import type { JoinedNode } from "../agent/node/index.ts";
import type { Store } from "../agent/store/index.ts";
import { entryType, readContent } from "../protocol/content/index.ts";
import { isUnsettled } from "../protocol/rotation/index.ts";
import type { PathIndex } from "./path-index.ts";
import { type Account, readAccount } from "./rotation/index.ts";
import { isSynced } from "./synced.ts";

/** What a start knows of an account before it has read them all; `unsure` where the others have to be read first. */
export type FoundEarly = Account | null | "unsure";

/**
 * The account at a path, read alone: three rows, however many accounts there are. Sure only of one that rests and changes alone, where
 * the last process had taken everything in. Throws STORE_DAMAGED.
 */
export function findEarly(path: string, parts: { store: Store; node: JoinedNode; paths: PathIndex }): FoundEarly {
  const { store, node, paths } = parts;
  if (!isSynced(store, node.head())) return "unsure";
  const id = store.read((view) => paths.find(view, path));
  if (id === null) return null;
  const account = store.read((view) => readAccount(view, id));
  const entry = node.entry({ type: entryType.account, id });
  if (account === null || entry === null || isUnsettled(account.record.state)) return "unsure";
  const read = readContent(entry);
  if (!("content" in read) || read.content.kind !== "account") return "unsure";
  const { content } = read;
  if (content.path !== path || content.group !== null) return "unsure";
  account.content = content;
  return account;
}
