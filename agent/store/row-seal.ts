import { createHmac, createSecretKey, hash, type KeyObject } from "node:crypto";
import nacl from "tweetnacl";
import { concat, lengthPrefixed, type Random, type Secret, u64be, utf8 } from "../../protocol/base/index.ts";
import { StoreError } from "./errors.ts";

const nonceBytes = 24;
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
 * Seals rows so that a row opens only under its own table, id and version: secretbox alone has no associated data, and two
 * swapped rows would open. A sealed row is nonce (24) and secretbox.
 */
export class RowSeal {
  readonly #key: Secret;
  readonly #random: Random;
  #extracted: KeyObject | null = null;

  constructor(key: Secret, random: Random) {
    this.#key = key;
    this.#random = random;
  }

  seal(name: RowName, plain: Uint8Array): Uint8Array {
    const key = this.#rowKey(name);
    const nonce = this.#random(nonceBytes);
    const sealed = concat(nonce, nacl.secretbox(plain, nonce, key));
    key.fill(0);
    return sealed;
  }

  /** Throws STORE_DAMAGED where the bytes were not sealed under this name. */
  open(name: RowName, sealed: Uint8Array): Uint8Array {
    const key = this.#rowKey(name);
    const plain = nacl.secretbox.open(sealed.subarray(nonceBytes), sealed.subarray(0, nonceBytes), key);
    key.fill(0);
    if (plain === null) throw new StoreError("STORE_DAMAGED", `a row of table ${name.table} does not unseal`);
    return plain;
  }

  /** A key for another purpose, so that nothing is ever keyed twice. */
  derive(purpose: string): Uint8Array {
    return this.#hkdf(utf8(`tidegate/1 ${purpose}`));
  }

  #rowKey(name: RowName): Uint8Array {
    return this.#hkdf(concat(utf8("tidegate/1 row\0"), rowNameBytes(name)));
  }

  /** HKDF-SHA-256 with 32 bytes out, its extract step done once: a quarter of the time of hkdfSync, which counts with thousands of rows. */
  #hkdf(info: Uint8Array): Uint8Array {
    this.#extracted ??= this.#key.use((key) => createSecretKey(createHmac("sha256", noSalt).update(key).digest()));
    return new Uint8Array(createHmac("sha256", this.#extracted).update(info).update(firstBlock).digest());
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

function rowNameBytes(name: RowName): Uint8Array {
  return concat(lengthPrefixed(utf8(name.table)), lengthPrefixed(name.id), u64be(name.version));
}
