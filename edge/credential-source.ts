import type { AlternateValue, CredentialSource, ReadableCredential } from "../agent/local-api/index.ts";
import type { Clock } from "../agent/seams/index.ts";
import type { Store } from "../agent/store/index.ts";
import { assert } from "../protocol/base/index.ts";
import type { FactTime, FreshnessRules } from "../protocol/content/index.ts";
import { candidateOf, isUnsettled, probeOrder } from "../protocol/rotation/index.ts";
import type { FoundEarly } from "./last-served.ts";
import { type Account, fieldsOf, type RotationEngine, servedRef } from "./rotation/index.ts";

/** Serves the proven value of each account by its path. */
export class EdgeCredentials implements CredentialSource {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #time: () => FactTime;
  readonly #freshness: () => FreshnessRules;
  readonly #memoryOnly: (path: string) => ReadableCredential | null;
  #groups: Pick<RotationEngine["groups"], "overlaps" | "isAhead"> = { overlaps: () => false, isAhead: () => false };
  #byPath: ReadonlyMap<string, Account> = new Map();
  /** Until all accounts were read. */
  #early: ((path: string) => FoundEarly) | null = null;
  #readAll = () => {};

  constructor(options: {
    readonly store: Store;
    readonly clock: Clock;
    readonly time: () => FactTime;
    /** The vault's rules now. */
    readonly freshness: () => FreshnessRules;
    /** The value of a path that only memory holds; throws API_MEMORY_ONLY where it ended with the last process. */
    readonly memoryOnly: (path: string) => ReadableCredential | null;
  }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#time = options.time;
    this.#freshness = options.freshness;
    this.#memoryOnly = options.memoryOnly;
  }

  /** Serves accounts one by one until {@link index} is called first; where `early` is not sure, `readAll` is asked to bring that about. */
  open(early: (path: string) => FoundEarly, readAll: () => void): void {
    this.#early = early;
    this.#readAll = readAll;
  }

  /** The accounts by path, after each change of what the vault wants. */
  index(engine: RotationEngine): void {
    this.#early = null;
    this.#groups = engine.groups;
    const named = [...engine.accounts.values()].filter((account) => account.content !== null);
    this.#byPath = new Map(named.map((account) => [account.content?.path ?? "", account]));
  }

  get byPath(): ReadonlyMap<string, Account> {
    return this.#byPath;
  }

  /** The account of this path, or null. */
  accountAt(path: string): Account | null {
    return this.#byPath.get(path) ?? null;
  }

  find(path: string): ReadableCredential | null {
    const kept = this.#memoryOnly(path);
    if (kept !== null) return kept;
    const account = this.#find(path);
    if (account === null || account.content === null) return null;
    const { record, content } = account;
    const ref = servedRef(record.state);
    const served = candidateOf(record.state, ref);
    assert(served !== null, "the served value is a candidate");
    const ageMs = Math.max(0, this.#time().lo - record.currentSinceS) * 1000;
    return {
      username: content.username,
      version: served.index.join("."),
      source: record.rotated ? "rotation" : "vault",
      currentSinceMs: this.#clock.sinceBootMs() - ageMs,
      rotation: isUnsettled(record.state) || this.#groups.overlaps(account) ? "in-progress" : "idle",
      expiresAt: null,
      freshness: this.#freshness().at(path),
      openFields: () => this.#store.read((view) => fieldsOf(account, ref, view)),
      alternates: () => this.#alternates(account, ref),
    };
  }

  #find(path: string): Account | null {
    const early = this.#early === null ? "unsure" : this.#early(path);
    if (early !== "unsure") return early;
    if (this.#early !== null) this.#readAll();
    return this.accountAt(path);
  }

  /**
   * While it is unsettled, what else may be live: in the order in which the machine itself tries it. While others of its group have not
   * changed yet, also the value that it had before.
   */
  #alternates(account: Account, served: number): AlternateValue[] {
    const { state } = account.record;
    const before = this.#groups.isAhead(account) ? state.history.slice(0, 1) : [];
    if (!isUnsettled(state) && before.length === 0) return [];
    const live = new Map([...state.candidates, ...before].map((each) => [each.ref, each]));
    return [...probeOrder({ ...state, round: 0 }), ...before.map(({ ref }) => ref)].flatMap((ref, place, all) => {
      const candidate = live.get(ref);
      if (candidate === undefined || ref === served || all.indexOf(ref) !== place) return [];
      const openFields = () => this.#store.read((view) => fieldsOf(account, ref, view));
      return [{ version: candidate.index.join("."), openFields }];
    });
  }
}
