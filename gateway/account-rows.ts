import { everyRow, makePathRows, pathRows } from "../agent/node/index.ts";
import type { Transaction, View } from "../agent/store/index.ts";
import {
  asBytes,
  asList,
  asText,
  asTuple,
  decodeTcbor,
  encodeTcbor,
  type Random,
  sameBytes,
  type Tcbor,
  toHex,
} from "../protocol/base/index.ts";
import { bundleLimits, type EntryRef, indexFromTcbor, indexToTcbor, type VersionIndex } from "../protocol/bundle/index.ts";
import { type ContentView, type CredentialContent, contentLimits, entryType, type Held } from "../protocol/content/index.ts";

const table = "account";
const maxPathBytes = contentLimits.pathSegments * (contentLimits.segmentBytes + 1);

/** A value that the vault gave: everything but the secret. */
export interface IndexedValue {
  readonly index: VersionIndex;
  readonly entry: EntryRef;
}

/** An account that applications here may read, with the values that the vault gave. */
export interface IndexedAccount {
  readonly path: string;
  readonly username: string;
  readonly accountId: Uint8Array;
  readonly current: IndexedValue;
  /** Oldest first. */
  readonly pending: readonly IndexedValue[];
}

/** The account at a path, read alone: two rows, however many accounts there are. Null where there is none, or no value yet. */
export function readIndexed(view: View, path: string): IndexedAccount | null {
  const row = pathRows(view)?.(path);
  const value = row === undefined ? null : view.get(table, row);
  const account = value === null ? null : decodeAccount(value);
  // The account itself says where it is.
  return account?.path === path ? account : null;
}

/** Accounts that {@link readIndexed} finds. */
export function countIndexed(view: View): number {
  return view.count(table);
}

/** Brings the rows in line with a state; returns the accounts whose row is another now. */
export function writeIndexed(tx: Transaction, state: ContentView, random: Random): IndexedAccount[] {
  const rowOf = makePathRows(tx, random);
  const before = new Map([...everyRow(tx, table)].map(({ id, value }) => [toHex(id), { id, value }]));
  const changed: IndexedAccount[] = [];
  for (const account of accountsOf(state)) {
    const row = rowOf(account.path);
    const value = encodeAccount(account);
    const key = toHex(row);
    const known = before.get(key);
    before.delete(key);
    if (known !== undefined && sameBytes(known.value, value)) continue;
    tx.put(table, row, value);
    changed.push(account);
  }
  for (const { id } of before.values()) tx.delete(table, id);
  return changed;
}

function* accountsOf(state: ContentView): Generator<IndexedAccount> {
  for (const [key, { entry, content }] of state.accounts) {
    const values = state.credentials.get(key) ?? [];
    const current = values.find(({ content }) => content.role === "current");
    if (current === undefined) continue;
    const pending = values.filter(({ content }) => content.role === "pending").map(indexedValue);
    const { path, username } = content;
    yield { path, username, accountId: entry.id, current: indexedValue(current), pending: pending.toReversed() };
  }
}

function indexedValue({ entry: { type, id }, content }: Held<CredentialContent>): IndexedValue {
  return { index: content.index, entry: { type, id } };
}

function encodeAccount({ path, username, accountId, current, pending }: IndexedAccount): Uint8Array {
  return encodeTcbor([path, username, accountId, valueToTcbor(current), pending.map(valueToTcbor)]);
}

function decodeAccount(row: Uint8Array): IndexedAccount {
  const [path, username, accountId, current, pending] = asTuple(decodeTcbor(row), "account", 5);
  return {
    path: asText(path, "account.path", maxPathBytes),
    username: asText(username, "account.username", contentLimits.usernameBytes),
    accountId: asBytes(accountId, "account.id", 16),
    current: valueFromTcbor(current),
    pending: asList(pending, "account.pending", bundleLimits.entries).map(valueFromTcbor),
  };
}

function valueToTcbor({ index, entry }: IndexedValue): Tcbor {
  return [indexToTcbor(index), entry.id];
}

function valueFromTcbor(value: Tcbor | undefined): IndexedValue {
  const [index, id] = asTuple(value, "account.value", 2);
  return {
    index: indexFromTcbor(index, "account.value.index"),
    entry: { type: entryType.credential, id: asBytes(id, "account.value.id", 16) },
  };
}
