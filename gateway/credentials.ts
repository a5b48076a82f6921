import {
  type ApplicationList,
  type CredentialSource,
  memoryOnlyGone,
  type ReadableCredential,
} from "../agent/local-api/index.ts";
import type { JoinedNode } from "../agent/node/index.ts";
import type { Clock } from "../agent/seams/index.ts";
import type { Store } from "../agent/store/index.ts";
import { assert, sameBytes } from "../protocol/base/index.ts";
import type { VersionIndex } from "../protocol/bundle/index.ts";
import { decodeContent, entryType, type Fields, readContent } from "../protocol/content/index.ts";
import { countIndexed, type IndexedAccount, type IndexedValue, readIndexed } from "./account-rows.ts";
import { type LiveValue, liveValue, readTold } from "./notices/index.ts";
import { readServed } from "./served-rows.ts";

interface CredentialsOptions {
  readonly node: JoinedNode;
  readonly store: Store;
  readonly clock: Clock;
  readonly applications: Pick<ApplicationList, "freshness">;
  /** True where the edge of this zone has no tunnel to us: its word may be on its way. */
  edgeAway(zone: string): boolean;
}

/**
 * What the gateway serves to its own applications: of each account the version that is live, by the vault's word or the edge's later
 * one. Nothing of it waits in memory: each account is read when it is asked for, so that a start has nothing to read before.
 */
export class GatewayCredentials implements CredentialSource {
  readonly #options: CredentialsOptions;

  constructor(options: CredentialsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#options.store.read(countIndexed);
  }

  /** The account of this id that applications here may read, or null. */
  accountOf(accountId: Uint8Array): IndexedAccount | null {
    const entry = this.#options.node.entry({ type: entryType.account, id: accountId });
    const read = entry === null ? null : readContent(entry);
    if (read === null || !("content" in read) || read.content.kind !== "account") return null;
    const account = this.#indexed(read.content.path);
    return account !== null && sameBytes(account.accountId, accountId) ? account : null;
  }

  /** The id of the account at a path, or null. */
  accountAt(path: string): Uint8Array | null {
    return this.#indexed(path)?.accountId ?? null;
  }

  find(path: string): ReadableCredential | null {
    const { node, store, clock, applications } = this.#options;
    // Its row stays while the vault is asked for the value again.
    if (node.memoryOnly(path) === "gone") throw memoryOnlyGone();
    const found = this.#indexed(path);
    if (found === null) return null;
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
      freshness: applications.freshness.at(path),
      openFields: () => this.#open(served),
      alternates: () =>
        this.#live(found).alternates.map((value) => ({
          version: versionText(value.index),
          openFields: () => this.#open(value),
        })),
    };
  }

  #indexed(path: string): IndexedAccount | null {
    return this.#options.store.read((view) => readIndexed(view, path));
  }

  #live(account: IndexedAccount): LiveValue<IndexedValue> {
    const { store, edgeAway } = this.#options;
    const [zone = ""] = account.path.split("/", 1);
    const told = store.read((view) => readTold(view, account.accountId));
    return liveValue(account, told, edgeAway(zone));
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

function versionText({ epoch, number }: VersionIndex): string {
  return `${epoch}.${number}`;
}
