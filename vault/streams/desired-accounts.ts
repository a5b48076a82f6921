import { hash } from "node:crypto";
import { concat, toHex, u64be, utf8 } from "../../protocol/base/index.ts";
import {
  compareIndex,
  type DesiredEntry,
  type Entry,
  type EntryMap,
  entryKey,
  type VersionIndex,
} from "../../protocol/bundle/index.ts";
import {
  type CredentialRole,
  decodeContent,
  encodeContent,
  entryType,
  type RotatePolicy,
} from "../../protocol/content/index.ts";
import { exportedRole } from "../../protocol/rotation/index.ts";
import { type CredentialVersion, fingerprintKeyOf, openVersions, type RegistryContext } from "../registry/index.ts";
import type { AccountRow, NodeRow, VaultTransaction } from "../store/index.ts";
import { singleLookups } from "./limits.ts";
import { plainEntry } from "./plain-entry.ts";

export interface AccountsWish {
  /** Accounts that the node shall know. */
  readonly accounts: readonly AccountRow[];
  readonly exported: EntryMap;
  /** Ids of the accounts that changed, in hexadecimal; null where any may have. The others stay as they were sent. */
  readonly changed: ReadonlySet<string> | null;
  /** Gateways that must hold a new value before the node may have it; null for a gateway itself. */
  readonly readers: ((account: AccountRow) => readonly NodeRow[]) | null;
}

/** Entries of accounts and of their values. */
export async function accountEntries(
  context: RegistryContext,
  tx: VaultTransaction,
  wish: AccountsWish,
): Promise<DesiredEntry[]> {
  const sent = sentByAccount(wish.exported);
  const entries: DesiredEntry[] = [];
  const stale: AccountRow[] = [];
  for (const account of wish.accounts) {
    const key = toHex(account.account_id);
    const before = sent.get(key);
    if (before !== undefined && wish.changed !== null && !wish.changed.has(key)) entries.push(...before);
    else stale.push(account);
  }
  if (stale.length === 0) return entries;
  const ids = stale.length > singleLookups ? null : stale.map((account) => account.account_id);
  const versions = await openVersions(context, tx, ids);
  const holds = wish.readers === null ? null : await acknowledgedVersions(tx);
  for (const account of stale) {
    const ofAccount: DesiredEntry[] = [];
    const readers = account.consumers === "none" ? [] : (wish.readers?.(account) ?? []);
    let ready = true;
    for (const version of versions.get(toHex(account.account_id)) ?? []) {
      const role = exportedRole(version.status, holds === null ? "gateway" : "edge");
      if (role === null) continue;
      const value = valueEntry(account, version, role);
      const isCurrent = version.status === "acknowledged";
      const heldByAll = isCurrent || readers.every((reader) => holds?.(account, reader, indexOf(version)) === true);
      // What an edge once got stays in its pool; where an application has begun to read the account since, it is not staged yet.
      if (!heldByAll && !wish.exported.has(entryKey(value))) continue;
      ready &&= heldByAll;
      ofAccount.push(value);
    }
    entries.push(accountEntry(context, account, ready), ...ofAccount);
  }
  return entries;
}

/** Which account an exported entry is about: read once for each entry, and entries live as long as the state that holds them. */
const accountsOfEntries = new WeakMap<Entry, string>();

function sentByAccount(exported: EntryMap): ReadonlyMap<string, readonly Entry[]> {
  const sent = new Map<string, Entry[]>();
  for (const entry of exported.values()) {
    const key = accountOf(entry);
    if (key === null) continue;
    const known = sent.get(key);
    if (known === undefined) sent.set(key, [entry]);
    else known.push(entry);
  }
  // Values without their account would be of no use to anybody: then all of it is made anew.
  for (const [key, entries] of sent) if (!entries.some((entry) => entry.type === entryType.account)) sent.delete(key);
  return sent;
}

function accountOf(entry: Entry): string | null {
  if (entry.type === entryType.account) return toHex(entry.id);
  if (entry.type !== entryType.credential) return null;
  const known = accountsOfEntries.get(entry);
  if (known !== undefined) return known;
  const content = decodeContent(entry.type, entry.payload);
  const key = content.kind === "credential" ? toHex(content.accountId) : "";
  accountsOfEntries.set(entry, key);
  return key;
}

function accountEntry(context: RegistryContext, account: AccountRow, consumersReady: boolean): DesiredEntry {
  return plainEntry(context, account.account_id, {
    kind: "account",
    deviceId: account.device_id,
    path: account.path,
    username: account.username,
    rotate: account.rotate as RotatePolicy,
    intervalS: account.interval_s,
    windowless: account.windowless === 1,
    fingerprintKey: fingerprintKeyOf(context, account),
    breakGlass: account.break_glass === 1,
    group: account.group_id,
    reconcileBy: account.reconcile_by,
    rotateOn: account.rotate_on,
    consumersReady,
  });
}

/** On a gateway an open value is ready for the moment when the edge has switched. */
function valueEntry(account: AccountRow, version: CredentialVersion, role: CredentialRole): DesiredEntry {
  const index = indexOf(version);
  const { fields, fingerprint } = version;
  const content = { kind: "credential", accountId: account.account_id, index, role, fields, fingerprint } as const;
  return { ...encodeContent(content), id: valueEntryId(account.account_id, index), index, authority: null };
}

function indexOf({ index: [epoch, number] }: CredentialVersion): VersionIndex {
  return { epoch, number };
}

/** A version keeps its entry from the pool to its end, so that becoming current is one small entry. */
function valueEntryId(accountId: Uint8Array, { epoch, number }: VersionIndex): Uint8Array {
  const name = concat(utf8("tidegate/1 value entry"), accountId, u64be(epoch), u64be(number));
  return new Uint8Array(hash("sha256", name, "buffer")).slice(0, 16);
}

type Holds = (account: AccountRow, reader: NodeRow, index: VersionIndex) => boolean;

/** Whether a gateway acknowledged this version of the account or a later one. */
async function acknowledgedVersions(tx: VaultTransaction): Promise<Holds> {
  const rows = await tx.selectFrom("consumers").selectAll().execute();
  const acks = new Map(rows.map((row) => [`${toHex(row.account_id)}/${toHex(row.node_id)}`, row]));
  return (account, reader, index) => {
    const ack = acks.get(`${toHex(account.account_id)}/${toHex(reader.node_id)}`);
    return ack !== undefined && compareIndex({ epoch: ack.epoch, number: ack.number }, index) >= 0;
  };
}
