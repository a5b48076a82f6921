import { hash } from "node:crypto";
import { concat } from "../../protocol/base/index.ts";
import { StoreError } from "./errors.ts";
import { type RowName, rowNameBytes, versionBytes } from "./row-name.ts";
import { maxIdBytes } from "./scan-range.ts";

/** Rows of one table that were written in one commit and have ids of one length. */
export interface ListedRows {
  readonly table: string;
  /** In decimal: a damaged one may be more than a number holds. */
  readonly version: string;
  readonly idBytes: number;
  /** Their ids one after another, in hexadecimal. */
  readonly ids: string;
}

/**
 * The sum of all rows' names, so that a removed, added or put-back row shows although each row alone unseals. A sum modulo
 * 2^256 of keyed hashes: the order of rows does not matter, and one row's change costs one addition and one subtraction.
 */
export class RowSum {
  readonly #key: Uint8Array;
  #sum: bigint;

  constructor(key: Uint8Array, start = 0n) {
    this.#key = key;
    this.#sum = start;
  }

  get value(): bigint {
    return this.#sum;
  }

  set value(sum: bigint) {
    this.#sum = sum;
  }

  add(name: RowName): void {
    this.#sum = BigInt.asUintN(256, this.#sum + this.#term(name));
  }

  remove(name: RowName): void {
    this.#sum = BigInt.asUintN(256, this.#sum - this.#term(name));
  }

  /**
   * {@link add} for every row of a store, in groups that differ by their ids alone: a start has to add them all up, and so takes a third of the
   * time that an object and a big number for each row do. Throws STORE_DAMAGED for a row that no store writes.
   */
  addListed(groups: Iterable<ListedRows>): void {
    const limbs = new LimbSum();
    for (const { table, idBytes, ids, ...listed } of groups) {
      const version = Number(listed.version);
      if (idBytes > maxIdBytes || version < 0 || !Number.isSafeInteger(version))
        throw new StoreError("STORE_DAMAGED", "a row that was never written");
      const keyed = Buffer.from(concat(this.#key, rowNameBytes({ table, id: new Uint8Array(idBytes), version })));
      const idAt = keyed.length - idBytes - versionBytes;
      const all = Buffer.from(ids, "hex");
      // A row without an id is alone in its table.
      let from = 0;
      do {
        all.copy(keyed, idAt, from, from + idBytes);
        limbs.add(hash("sha256", keyed, "binary"));
        from += idBytes;
      } while (from < all.length);
      keyed.fill(0);
    }
    this.#sum = BigInt.asUintN(256, this.#sum + limbs.value);
  }

  // A prefix key is enough here: the sum never leaves the seal, so there is no digest to extend.
  #term(name: RowName): bigint {
    return BigInt(`0x${hash("sha256", concat(this.#key, rowNameBytes(name)), "hex")}`);
  }
}

/** Sums of 32 bits that a number holds exactly: 2^53 / 2^32, and half of it for safety. */
const exactSums = 2 ** 20;

/** Digests added up in parts of 32 bits. */
class LimbSum {
  readonly #limbs = new Float64Array(8);
  #added = 0;
  #before = 0n;

  get value(): bigint {
    return this.#limbs.reduce((sum, limb) => (sum << 32n) + BigInt(limb), 0n) + this.#before;
  }

  /** A digest of 32 bytes, one a character. */
  add(digest: string): void {
    if (this.#added === exactSums) {
      this.#before = this.value;
      this.#limbs.fill(0);
      this.#added = 0;
    }
    this.#added += 1;
    for (let i = 0; i < this.#limbs.length; i += 1) {
      const at = 4 * i;
      const high = (digest.charCodeAt(at) << 8) | digest.charCodeAt(at + 1);
      const low = (digest.charCodeAt(at + 2) << 8) | digest.charCodeAt(at + 3);
      this.#limbs[i] = (this.#limbs[i] ?? 0) + high * 0x1_0000 + low;
    }
  }
}
