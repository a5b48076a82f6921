import {
  type ApplicationRecord,
  applicationRecords,
  type CredentialSource,
  memoryOnlyGone,
  type ReadableCredential,
} from "../agent/local-api/index.ts";
import type { AppliedChange, JoinedNode } from "../agent/node/index.ts";
import type { Clock } from "../agent/seams/index.ts";
import type { Store, Transaction, View } from "../agent/store/index.ts";
import type { AuditEvent } from "../protocol/audit/index.ts";
import { assert, asTuple, asUint, decodeTcbor, encodeTcbor, fromHex, toHex } from "../protocol/base/index.ts";
import { compareIndex, type EntryRef, type Fact, type VersionIndex } from "../protocol/bundle/index.ts";
import {
  type ContentView,
  type CredentialContent,
  decodeContent,
  encodeFact,
  entryType,
  type Fields,
  FreshnessRules,
  type Held,
  readContent,
} from "../protocol/content/index.ts";
import { dropTold, type LiveValue, liveValue, readAllTold, type ToldRow } from "./notices/index.ts";

const table = "served";

/** A value of the index: everything but the secret. */
interface IndexedValue {
  readonly index: VersionIndex;
  readonly entry: EntryRef;
}

/** An account of the index, with the values that the vault gave. */
interface Indexed {
  readonly path: string;
  readonly username: string;
  readonly accountId: string;
  readonly current: IndexedValue;
  /** Oldest first. */
  readonly pending: readonly IndexedValue[];
}

interface CredentialsOptions {
  readonly node: JoinedNode;
  readonly store: Store;
  readonly clock: Clock;
  /** True where the edge of this zone has no tunnel to us: its word may be on its way. */
  edgeAway(zone: string): boolean;
}

/** When a version became the one that is served, in the node's seconds. */
interface Served {
  readonly index: VersionIndex;
  readonly sinceS: number;
}

/**
 * What the gateway serves to its own applications: of each account the version that is live, by the vault's word or the edge's later
 * one. Secrets stay in the store; the index in memory holds names and versions.
 */
export class GatewayCredentials implements CredentialSource {
  readonly #options: CredentialsOptions;
  #byPath = new Map<string, Indexed>();
  #byId = new Map<string, Indexed>();
  #told = new Map<string, ToldRow>();
  #applications: ApplicationRecord[] = [];
  #freshness = new FreshnessRules([]);

  constructor(options: CredentialsOptions) {
    this.#options = options;
    this.reload();
  }

  get count(): number {
    return this.#byPath.size;
  }

  get applications(): readonly ApplicationRecord[] {
    return this.#applications;
  }

  /** Reads the index again: the state changed. */
  reload(): void {
    const { node, store } = this.#options;
    node.withState((view) => {
      this.#byPath = indexOf(view);
      this.#applications = applicationRecords(view);
      this.#freshness = new FreshnessRules([...view.freshness.values()].map(({ content }) => content));
    });
    this.#byId = new Map([...this.#byPath.values()].map((account) => [account.accountId, account]));
    this.#told = store.read(readAllTold);
  }

  /** The account of this id that applications here may read, or null. */
  accountOf(accountId: Uint8Array): Indexed | null {
    return this.#byId.get(toHex(accountId)) ?? null;
  }

  /** Hexadecimal id of the account at a path, or null. */
  accountAt(path: string): string | null {
    return this.#byPath.get(path)?.accountId ?? null;
  }

  /** An edge's word was taken in. */
  told(accountId: Uint8Array, told: ToldRow): void {
    this.#told.set(toHex(accountId), told);
  }

  find(path: string): ReadableCredential | null {
    const { node, store, clock } = this.#options;
    const found = this.#byPath.get(path);
    if (found === undefined) {
      if (node.memoryOnly(path) === "gone") throw memoryOnlyGone();
      return null;
    }
    const { served, unsettled } = this.#live(found);
    const since = store.read((view) => readServed(view, found.accountId));
    const ageMs = since === null ? 0 : Math.max(0, node.time().lo - since.sinceS) * 1000;
    return {
      username: found.username,
      version: versionText(served.index),
      source: served === found.current ? "vault" : "rotation",
      currentSinceMs: clock.sinceBootMs() - ageMs,
      rotation: unsettled ? "in-progress" : "idle",
      expiresAt: null,
      freshness: this.#freshness.at(path),
      openFields: () => this.#open(served),
      alternates: () =>
        this.#live(found).alternates.map((value) => ({
          version: versionText(value.index),
          openFields: () => this.#open(value),
        })),
    };
  }

  #live(account: Indexed): LiveValue<IndexedValue> {
    const [zone = ""] = account.path.split("/", 1);
    return liveValue(account, this.#told.get(account.accountId) ?? null, this.#options.edgeAway(zone));
  }

  #open({ entry }: IndexedValue): Fields {
    const held = this.#options.node.entry(entry);
    assert(held !== null, "an indexed credential is stored");
    const content = decodeContent(held.type, held.payload);
    held.payload.fill(0);
    held.bytes.fill(0);
    assert(content.kind === "credential", "an indexed entry is a credential");
    return content.fields;
  }
}

/**
 * Part of applying a bundle: notes since when each version is served, and tells the vault which values are held for remote
 * consumers, so that it lets the edge stage them.
 */
export function noteCredentials(tx: Transaction, change: AppliedChange): Fact[] {
  for (const { type, id } of change.removed) if (type === entryType.account) dropTold(tx, id);
  const told = readAllTold(tx);
  for (const account of indexOf(change.after).values()) {
    const { served } = liveValue(account, told.get(account.accountId) ?? null, false);
    const before = readServed(tx, account.accountId);
    const same = before !== null && compareIndex(before.index, served.index) === 0;
    if (!same) noteServed(tx, rowId(account.accountId), { index: served.index, sinceS: change.at.lo });
  }
  return pendingOf(change).map(({ accountId, index }) => encodeFact({ kind: "consumer-ack", accountId, index }));
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

/** Values that the change brings for remote consumers, and that are not in use yet. */
function pendingOf(change: AppliedChange): CredentialContent[] {
  return change.put.flatMap((entry) => {
    const read = readContent(entry);
    return "content" in read && read.content.kind === "credential" && read.content.role === "pending" ? [read.content] : [];
  });
}

function indexOf(view: ContentView): Map<string, Indexed> {
  const byPath = new Map<string, Indexed>();
  for (const [accountId, { content: account }] of view.accounts) {
    const values = view.credentials.get(accountId) ?? [];
    const current = values.find(({ content }) => content.role === "current");
    if (current === undefined) continue;
    byPath.set(account.path, {
      path: account.path,
      username: account.username,
      accountId,
      current: indexedValue(current),
      pending: values
        .filter(({ content }) => content.role === "pending")
        .map(indexedValue)
        .toReversed(),
    });
  }
  return byPath;
}

function indexedValue({ entry: { type, id }, content }: Held<CredentialContent>): IndexedValue {
  return { index: content.index, entry: { type, id } };
}

function versionText({ epoch, number }: VersionIndex): string {
  return `${epoch}.${number}`;
}

function readServed(view: View, accountId: string): Served | null {
  const row = view.get(table, rowId(accountId));
  if (row === null) return null;
  const [epoch, number, sinceS] = asTuple(decodeTcbor(row), "served", 3);
  return { index: { epoch: asUint(epoch, "epoch"), number: asUint(number, "number") }, sinceS: asUint(sinceS, "sinceS") };
}

/** Notes since when a version is served. */
export function noteServed(tx: Transaction, accountId: Uint8Array, { index, sinceS }: Served): void {
  tx.put(table, accountId, encodeTcbor([index.epoch, index.number, sinceS]));
}

function rowId(accountId: string): Uint8Array {
  const id = fromHex(accountId);
  assert(id !== null, "an account id is hexadecimal here");
  return id;
}
