import { hash, timingSafeEqual } from "node:crypto";
import { toHex } from "../../protocol/base/index.ts";
import { isPath, parsePattern, patternMatches } from "../../protocol/content/index.ts";
import { mayUse, type TimeInterval, type UseWindow } from "../../protocol/time/index.ts";
import type { ApplicationRecord } from "./contracts.ts";
import { apiLimits } from "./limits.ts";

const tokenHashBytes = 32;

/** Who a token belongs to, and what it may read. */
export interface Application {
  readonly id: string;
  readonly name: string;
  readonly person: boolean;
  /** `time` is asked only where a lease has to decide. */
  mayRead(path: string, time: () => TimeInterval): boolean;
}

/**
 * Applications by the hash of their token. The map's key is a SHA-256, so how long a lookup takes tells nothing about a token; the
 * hit is compared in constant time besides.
 */
export class ApplicationTable {
  readonly #byHash = new Map<string, KnownApplication>();
  readonly #scratch = Buffer.alloc(2 * tokenHashBytes);

  constructor(records: readonly ApplicationRecord[]) {
    for (const record of records) this.#byHash.set(toHex(record.tokenHash), new KnownApplication(record));
  }

  /** The application of a token, or null. */
  authenticate(token: string): Application | null {
    const digest = hash("sha256", token, "hex");
    const known = this.#byHash.get(digest);
    if (known === undefined) return null;
    this.#scratch.write(digest, "latin1");
    return timingSafeEqual(this.#scratch, known.tokenHash) ? known : null;
  }
}

class KnownApplication implements Application {
  readonly id: string;
  readonly name: string;
  readonly person: boolean;
  /** In hexadecimal digits, as bytes. */
  readonly tokenHash: Uint8Array;
  readonly #patterns: readonly (readonly string[])[];
  readonly #leases: readonly { readonly pattern: readonly string[]; readonly window: UseWindow }[];
  readonly #decided = new Map<string, boolean>();

  constructor(record: ApplicationRecord) {
    this.id = record.id;
    this.name = record.name;
    this.tokenHash = Buffer.from(toHex(record.tokenHash));
    this.person = record.person;
    this.#patterns = record.grants.map(parsePattern);
    this.#leases = record.leases.map(({ pattern, window }) => ({ pattern: parsePattern(pattern), window }));
  }

  mayRead(path: string, time: () => TimeInterval): boolean {
    return this.#isGranted(path) || (this.#leases.length > 0 && this.#isLeased(path, time()));
  }

  /** A lease that the clock cannot judge does not hold. */
  #isLeased(path: string, time: TimeInterval): boolean {
    if (!isPath(path)) return false;
    const segments = path.split("/");
    return this.#leases.some(
      ({ pattern, window }) => mayUse(time, window, false) === "yes" && patternMatches(pattern, segments),
    );
  }

  #isGranted(path: string): boolean {
    const decided = this.#decided.get(path);
    if (decided !== undefined) return decided;
    const segments = path.split("/");
    const granted = isPath(path) && this.#patterns.some((pattern) => patternMatches(pattern, segments));
    if (this.#decided.size >= apiLimits.cachedGrants) this.#decided.clear();
    this.#decided.set(path, granted);
    return granted;
  }
}
