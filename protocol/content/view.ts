import { toHex } from "../base/index.ts";
import { compareIndex, type Entry, type VersionIndex } from "../bundle/index.ts";
import { type Content, type CredentialContent, entryType, type OrderContent } from "./content.ts";
import { readContent } from "./entry-content.ts";
import type { ContentCode } from "./errors.ts";

/** A usable entry and what it says. */
export interface Held<C extends Content> {
  readonly entry: Entry;
  readonly content: C;
}

/** An entry that this node cannot use; the node reports it and the others work. */
export interface InertEntry {
  readonly entry: Entry;
  readonly code: ContentCode;
}

type ById<K extends Content["kind"]> = ReadonlyMap<string, Held<Extract<Content, { kind: K }>>>;

/** What a state means, tombstones applied. Maps go by hexadecimal entry id, `credentials` by hexadecimal account id. */
export interface ContentView {
  readonly devices: ById<"device">;
  readonly accounts: ById<"account">;
  /** An account's versions, newest first: where two claim one role, the first wins. */
  readonly credentials: ReadonlyMap<string, readonly Held<CredentialContent>[]>;
  readonly applications: ById<"application">;
  readonly orders: ById<"order">;
  readonly conduits: ById<"conduit">;
  readonly models: ById<"model">;
  readonly certificates: ById<"certificate">;
  readonly leases: ById<"lease">;
  readonly freshness: ById<"freshness">;
  readonly tombstones: ById<"tombstone">;
  readonly inert: readonly InertEntry[];
  /** Entries that a tombstone ended; a node forgets their values. */
  readonly buried: readonly Entry[];
}

/** Reads a whole state. Never throws for what entries say: what cannot be used is in `inert`. */
export function viewContent(entries: Iterable<Entry>): ContentView {
  const inert: InertEntry[] = [];
  const buried: Entry[] = [];
  const read: Held<Content>[] = [];
  for (const entry of entries) {
    const result = readContent(entry);
    if ("inert" in result) inert.push({ entry, code: result.inert });
    else read.push({ entry, content: result.content });
  }
  const ended = tombstonesOf(read);
  const live = read.filter((held) => {
    if (!isEnded(held, ended)) return true;
    buried.push(held.entry);
    return false;
  });
  const accounts = byId(live, "account");
  /** Credentials and orders mean nothing without their account. */
  const hasAccount = ({ entry, content }: Held<CredentialContent | OrderContent>): boolean => {
    const accountId = toHex(content.accountId);
    if (accounts.has(accountId)) return true;
    if (ended.has(subjectKey(entryType.account, accountId))) buried.push(entry);
    else inert.push({ entry, code: "CONTENT_DANGLING" });
    return false;
  };
  const orders = ofKind(live, "order").filter(hasAccount);
  const credentials = withoutForks(ofKind(live, "credential").filter(hasAccount), inert);
  return {
    devices: byId(live, "device"),
    accounts,
    credentials,
    applications: byId(live, "application"),
    orders: byId(orders, "order"),
    conduits: byId(live, "conduit"),
    models: byId(live, "model"),
    certificates: byId(live, "certificate"),
    leases: byId(live, "lease"),
    freshness: byId(live, "freshness"),
    tombstones: byId(live, "tombstone"),
    inert,
    buried,
  };
}

/** What a tombstone ends, as a key. */
function subjectKey(type: number, idHex: string): string {
  return `${type}/${idHex}`;
}

/** The highest version that each tombstoned subject is ended up to. */
function tombstonesOf(read: readonly Held<Content>[]): ReadonlyMap<string, VersionIndex> {
  const ended = new Map<string, VersionIndex>();
  for (const { content } of ofKind(read, "tombstone")) {
    const key = subjectKey(content.type, toHex(content.id));
    const known = ended.get(key);
    if (known === undefined || compareIndex(content.upTo, known) > 0) ended.set(key, content.upTo);
  }
  return ended;
}

/** Tombstones beat values. A tombstone itself is never ended: it would let an older value back in. */
function isEnded({ entry, content }: Held<Content>, ended: ReadonlyMap<string, VersionIndex>): boolean {
  if (content.kind === "tombstone") return false;
  const credential = content.kind === "credential";
  const upTo = ended.get(subjectKey(entry.type, toHex(credential ? content.accountId : entry.id)));
  return upTo !== undefined && compareIndex(credential ? content.index : entry.index, upTo) <= 0;
}

function ofKind<K extends Content["kind"]>(held: readonly Held<Content>[], kind: K): Held<Extract<Content, { kind: K }>>[] {
  return held.filter((one): one is Held<Extract<Content, { kind: K }>> => one.content.kind === kind);
}

function byId<K extends Content["kind"]>(held: readonly Held<Content>[], kind: K): ById<K> {
  return new Map(ofKind(held, kind).map((one) => [toHex(one.entry.id), one]));
}

/** Versions by account, newest first. Two values of one version are a fork: neither can be trusted, so both are inert. */
function withoutForks(
  credentials: readonly Held<CredentialContent>[],
  inert: InertEntry[],
): ReadonlyMap<string, readonly Held<CredentialContent>[]> {
  const byAccount = new Map<string, Held<CredentialContent>[]>();
  for (const held of credentials) {
    const accountId = toHex(held.content.accountId);
    const versions = byAccount.get(accountId);
    if (versions === undefined) byAccount.set(accountId, [held]);
    else versions.push(held);
  }
  for (const [accountId, versions] of byAccount) {
    versions.sort((a, b) => compareIndex(b.content.index, a.content.index));
    // In this order a fork's two sides are neighbours, or have only copies of one side between them.
    const forked = new Set<string>();
    for (const [i, { content }] of versions.entries()) {
      const next = versions[i + 1]?.content;
      if (next !== undefined && isFork(content, next)) forked.add(indexKey(content.index));
    }
    const sound = versions.filter(({ content }) => !forked.has(indexKey(content.index)));
    for (const { entry, content } of versions) {
      if (forked.has(indexKey(content.index))) inert.push({ entry, code: "CONTENT_VALUE_FORK" });
    }
    if (sound.length === 0) byAccount.delete(accountId);
    else byAccount.set(accountId, sound);
  }
  return byAccount;
}

function indexKey(index: VersionIndex): string {
  return `${index.epoch}/${index.number}`;
}

/** True where two contents claim one version of one account with different values. */
export function isFork(a: CredentialContent, b: CredentialContent): boolean {
  return (
    toHex(a.accountId) === toHex(b.accountId) &&
    compareIndex(a.index, b.index) === 0 &&
    toHex(a.fingerprint) !== toHex(b.fingerprint)
  );
}
