import { hash } from "node:crypto";
import { concat } from "../../protocol/base/index.ts";
import { StoreError } from "./errors.ts";
import { type RowName, rowNameBytes, writeVersion } from "./row-name.ts";
import { maxIdBytes } from "./scan-range.ts";

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
   * {@link add} for whole tables, each as text: `id:version` of its rows joined by `;`, ids in hexadecimal. A start adds up every row of
   * the store: SQLite's text and numbers of 32 bits take a third of the time that an object and a big number for each row do. Throws
   * STORE_DAMAGED for a row that no store writes.
   */
  addListed(tables: Iterable<{ readonly table: string; readonly names: string }>): void {
    const limbs = new LimbSum();
    for (const { table, names } of tables) {
      const length = Buffer.byteLength(table);
      const keyed = Buffer.alloc(this.#key.length + length + maxIdBytes + 16);
      keyed.set(this.#key);
      keyed.writeUInt32BE(length, this.#key.length);
      const idAt = this.#key.length + 8 + length;
      keyed.write(table, idAt - 4 - length);
      for (let from = 0; from < names.length; ) {
        const colon = names.indexOf(":", from);
        const next = names.indexOf(";", colon);
        const end = next < 0 ? names.length : next;
        const version = Number(names.slice(colon + 1, end));
        if (colon - from > 2 * maxIdBytes || version < 0) throw new StoreError("STORE_DAMAGED", "a row that was never written");
        const versionAt = idAt + keyed.write(names.slice(from, colon), idAt, "hex");
        keyed.writeUInt32BE(versionAt - idAt, idAt - 4);
        writeVersion(keyed, version, versionAt);
        limbs.add(hash("sha256", keyed.subarray(0, versionAt + 8), "binary"));
        from = end + 1;
      }
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
