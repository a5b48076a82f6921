import type { ApplicationRecord, CredentialSource, ReadableCredential } from "../agent/local-api/index.ts";
import type { AppliedChange, JoinedNode } from "../agent/node/index.ts";
import type { Clock } from "../agent/seams/index.ts";
import type { Store, Transaction, View } from "../agent/store/index.ts";
import { assert, asTuple, asUint, decodeTcbor, encodeTcbor, fromHex, toHex } from "../protocol/base/index.ts";
import type { EntryRef, Fact, VersionIndex } from "../protocol/bundle/index.ts";
import { type ContentView, decodeContent, encodeFact, type Fields, readContent } from "../protocol/content/index.ts";

const table = "served";

/** A credential of the index: everything but the secret. */
interface Indexed {
  readonly username: string;
  readonly accountId: string;
  readonly index: VersionIndex;
  readonly entry: EntryRef;
}

/** When a version became the one that is served, in the node's seconds. */
interface Served {
  readonly index: VersionIndex;
  readonly sinceS: number;
}

/**
 * What the gateway serves to its own applications: the current version of each account that the vault sealed to it. Secrets stay in
 * the store; the index in memory holds names and versions.
 */
export class GatewayCredentials implements CredentialSource {
  readonly #node: JoinedNode;
  readonly #store: Store;
  readonly #clock: Clock;
  #byPath = new Map<string, Indexed>();
  #applications: ApplicationRecord[] = [];

  constructor(options: { readonly node: JoinedNode; readonly store: Store; readonly clock: Clock }) {
    this.#node = options.node;
    this.#store = options.store;
    this.#clock = options.clock;
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
    this.#node.withState((view) => {
      this.#byPath = indexOf(view);
      this.#applications = applicationsOf(view);
    });
  }

  find(path: string): ReadableCredential | null {
    const found = this.#byPath.get(path);
    if (found === undefined) return null;
    const served = this.#store.read((view) => readServed(view, found.accountId));
    const ageMs = served === null ? 0 : Math.max(0, this.#node.time().lo - served.sinceS) * 1000;
    return {
      username: found.username,
      version: `${found.index.epoch}.${found.index.number}`,
      source: "vault",
      currentSinceMs: this.#clock.sinceBootMs() - ageMs,
      rotation: "idle",
      expiresAt: null,
      openFields: () => this.#open(found),
    };
  }

  #open({ entry }: Indexed): Fields {
    const held = this.#node.entry(entry);
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
  for (const { accountId, index } of indexOf(change.after).values()) {
    const before = readServed(tx, accountId);
    const same = before !== null && before.index.epoch === index.epoch && before.index.number === index.number;
    if (!same) writeServed(tx, accountId, { index, sinceS: change.at.lo });
  }
  return change.put.flatMap((entry) => {
    const read = readContent(entry);
    if (!("content" in read) || read.content.kind !== "credential" || read.content.role !== "pending") return [];
    const { accountId, index } = read.content;
    return [encodeFact({ kind: "consumer-ack", accountId, index })];
  });
}

function indexOf(view: ContentView): Map<string, Indexed> {
  const byPath = new Map<string, Indexed>();
  for (const [accountId, { content: account }] of view.accounts) {
    const current = view.credentials.get(accountId)?.find(({ content }) => content.role === "current");
    if (current === undefined) continue;
    const { type, id } = current.entry;
    byPath.set(account.path, { username: account.username, accountId, index: current.content.index, entry: { type, id } });
  }
  return byPath;
}

function applicationsOf(view: ContentView): ApplicationRecord[] {
  return [...view.applications.values()].flatMap(({ entry, content }) => {
    if (content.disabled || content.tokenHash === null) return [];
    return [{ id: toHex(entry.id), name: content.name, tokenHash: content.tokenHash, grants: content.grants }];
  });
}

function readServed(view: View, accountId: string): Served | null {
  const row = view.get(table, rowId(accountId));
  if (row === null) return null;
  const [epoch, number, sinceS] = asTuple(decodeTcbor(row), "served", 3);
  return { index: { epoch: asUint(epoch, "epoch"), number: asUint(number, "number") }, sinceS: asUint(sinceS, "sinceS") };
}

function writeServed(tx: Transaction, accountId: string, { index, sinceS }: Served): void {
  tx.put(table, rowId(accountId), encodeTcbor([index.epoch, index.number, sinceS]));
}

function rowId(accountId: string): Uint8Array {
  const id = fromHex(accountId);
  assert(id !== null, "an account id is hexadecimal here");
  return id;
}
