import { createHmac, hash } from "node:crypto";
import nacl from "tweetnacl";
import { concat, type Random, type Secret, utf8 } from "../../protocol/base/index.ts";
import { StoreError } from "./errors.ts";

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

  // A prefix key is enough here: the sum never leaves the seal, so there is no digest to extend.
  #term(name: RowName): bigint {
    return BigInt(`0x${hash("sha256", concat(this.#key, rowNameBytes(name)), "hex")}`);
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
  out.writeUInt32BE(Math.floor(version / 0x1_0000_0000), out.length - 8);
  out.writeUInt32BE(version >>> 0, out.length - 4);
  return out;
}
