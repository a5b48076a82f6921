import { type AppliedChange, hasSyncMark, type JoinedNode, putSyncMark } from "../agent/node/index.ts";
import type { Store, Transaction } from "../agent/store/index.ts";
import type { AuditEvent } from "../protocol/audit/index.ts";
import { type Random, toHex } from "../protocol/base/index.ts";
import { compareIndex, type Fact } from "../protocol/bundle/index.ts";
import { type ContentView, type CredentialContent, encodeFact, entryType, readContent } from "../protocol/content/index.ts";
import { writeIndexed } from "./account-rows.ts";
import { dropTold, liveValue, readTold } from "./notices/index.ts";
import { noteServed, readServed } from "./served-rows.ts";

/** What the accounts' rows say of a state; raised when that changes. */
const edition = 1;

/**
 * Part of applying a bundle: brings the rows that reads are answered from in line with it, notes since when each version is served, and
 * tells the vault which values are held for remote consumers, so that it lets the edge stage them.
 */
export function noteCredentials(tx: Transaction, change: AppliedChange, random: Random): Fact[] {
  for (const { type, id } of change.removed) if (type === entryType.account) dropTold(tx, id);
  writeState(tx, change.after, { random, atS: change.at.lo });
  putSyncMark(tx, { edition, head: change.head });
  return pendingOf(change).map(({ accountId, index }) => encodeFact({ kind: "consumer-ack", accountId, index }));
}

/** At a start: where another edition took the newest bundle in, all of it is taken in again. Throws STORE_*. */
export function takeInAgain(store: Store, node: JoinedNode, random: Random): void {
  const mark = { edition, head: node.head() };
  if (store.read((view) => hasSyncMark(view, mark))) return;
  node.withState((state) =>
    store.transaction((tx) => {
      writeState(tx, state, { random, atS: node.time().lo });
      putSyncMark(tx, mark);
    }),
  );
}

/** A leaf for each value that {@link noteCredentials} tells the vault of. */
export function acknowledgeEvents(self: string, change: AppliedChange): AuditEvent[] {
  return pendingOf(change).map(({ accountId, index: { epoch, number } }) => ({
    action: "credential.acknowledge",
    actor: { kind: "node", id: self },
    subject: { kind: "account", id: change.after.accounts.get(toHex(accountId))?.content.path ?? toHex(accountId) },
    outcome: "ok",
    details: { epoch, number },
  }));
}

/** Which value is served follows from an account's row and the edge's word, so it can be another only where the row is. */
function writeState(tx: Transaction, state: ContentView, { random, atS }: { random: Random; atS: number }): void {
  for (const account of writeIndexed(tx, state, random)) {
    const { served } = liveValue(account, readTold(tx, account.accountId), false);
    const before = readServed(tx, account.accountId);
    const same = before !== null && compareIndex(before.index, served.index) === 0;
    if (!same) noteServed(tx, account.accountId, { index: served.index, sinceS: atS });
  }
}

/** Values that the change brings for remote consumers, and that are not in use yet. */
function pendingOf(change: AppliedChange): CredentialContent[] {
  return change.put.flatMap((entry) => {
    const read = readContent(entry);
    return "content" in read && read.content.kind === "credential" && read.content.role === "pending" ? [read.content] : [];
  });
}
