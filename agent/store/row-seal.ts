import { createHmac, hash } from "node:crypto";
import nacl from "tweetnacl";
import { concat, type Random, type Secret, utf8 } from "../../protocol/base/index.ts";
import { StoreError } from "./errors.ts";
import { maxIdBytes } from "./scan-range.ts";

const nonceBytes = 24;
/** Nonces drawn at once: a draw costs as much as sealing a small row. They are no secrets. */
const noncesPerDraw = 64;
/** HKDF's salt where there is none: RFC 5869 section 2.2. */
const noSalt = new Uint8Array(32);
/** HKDF's counter of the first and only block of 32 bytes: RFC 5869 section 2.3. */
const firstBlock = Uint8Array.of(1);

export interface RowName {
  readonly table: string;
  readonly id: Uint8Array;
  /** The store's generation in which the row was written. */
  readonly version: number;
}

/**
 * Seals rows so that a row opens only under its own table, id and version: the name stands inside the box before the row's bytes,
 * for secretbox alone has no associated data, and two swapped rows would open. A sealed row is nonce (24) and secretbox.
 */
export class RowSeal {
  readonly #key: Secret;
  readonly #rowKey: Uint8Array;
  readonly #random: Random;
  #nonces = new Uint8Array(0);

  constructor(key: Secret, random: Random) {
    this.#key = key;
    this.#random = random;
    this.#rowKey = this.derive("rows");
  }

  seal(name: RowName, plain: Uint8Array): Uint8Array {
    const named = concat(rowNameBytes(name), plain);
    const nonce = this.#nonce();
    const sealed = concat(nonce, nacl.secretbox(named, nonce, this.#rowKey));
    named.fill(0);
    return sealed;
  }

  /** Throws STORE_DAMAGED where the bytes were not sealed under this name. */
  open(name: RowName, sealed: Uint8Array): Uint8Array {
    const named = nacl.secretbox.open(sealed.subarray(nonceBytes), sealed.subarray(0, nonceBytes), this.#rowKey);
    const expected = rowNameBytes(name);
    if (named === null || Buffer.compare(named.subarray(0, expected.length), expected) !== 0) {
      named?.fill(0);
      throw new StoreError("STORE_DAMAGED", `a row of table ${name.table} does not unseal`);
    }
    return named.subarray(expected.length);
  }

  /** A key for another purpose, so that nothing is ever keyed twice: HKDF-SHA-256 with 32 bytes out. */
  derive(purpose: string): Uint8Array {
    const extracted = this.#key.use((key) => createHmac("sha256", noSalt).update(key).digest());
    const expanded = createHmac("sha256", extracted)
      .update(utf8(`tidegate/1 ${purpose}`))
      .update(firstBlock)
      .digest();
    extracted.fill(0);
    return new Uint8Array(expanded);
  }

  /** Seals and opens nothing more. */
  wipe(): void {
    this.#rowKey.fill(0);
  }

  #nonce(): Uint8Array {
    if (this.#nonces.length === 0) this.#nonces = this.#random(nonceBytes * noncesPerDraw) as Uint8Array<ArrayBuffer>;
    const nonce = this.#nonces.subarray(0, nonceBytes);
    this.#nonces = this.#nonces.subarray(nonceBytes);
    return nonce;
  }
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

/** HMAC-SHA-256 of `bytes`. */
export function markTag(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac("sha256", key).update(bytes).digest());
}

/** No name begins with another one: each part tells its length first. */
function rowNameBytes({ table, id, version }: RowName): Uint8Array {
  const length = Buffer.byteLength(table);
  const out = Buffer.allocUnsafe(length + id.length + 16);
  out.writeUInt32BE(length, 0);
  out.write(table, 4);
  out.writeUInt32BE(id.length, 4 + length);
  out.set(id, 8 + length);
  writeVersion(out, version, out.length - 8);
  return out;
}

function writeVersion(out: Buffer, version: number, at: number): void {
  out.writeUInt32BE(Math.floor(version / 0x1_0000_0000), at);
  out.writeUInt32BE(version >>> 0, at + 4);
}
