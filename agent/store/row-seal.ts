import { createCipheriv, createDecipheriv, createHmac, createSecretKey, type KeyObject } from "node:crypto";
import nacl from "tweetnacl";
import { assert, concat, type Random, type Secret, sameBytes, utf8 } from "../../protocol/base/index.ts";
import { StoreError } from "./errors.ts";
import { type RowName, rowNameBytes } from "./row-name.ts";

const nonceBytes = 24;
/** Of either cipher. */
const tagBytes = 16;
/** Bytes of nonces drawn at once: a draw costs as much as sealing a small row. They are no secrets. */
const nonceBytesPerDraw = 64 * nonceBytes;
/** HKDF's salt where there is none: RFC 5869 section 2.2. */
const noSalt = new Uint8Array(32);
/** HKDF's counter of the first and only block of 32 bytes: RFC 5869 section 2.3. */
const firstBlock = Uint8Array.of(1);

/** First byte of a sealed row. */
const form = { small: 0, large: 1 } as const;
const smallForm = Uint8Array.of(form.small);

/** From this many bytes on a row is sealed with AES-256-GCM: it took half of the time there, and five times as long for 100 bytes. */
const largeFrom = 4096;
const largeCipher = "aes-256-gcm";
const largeNonceBytes = 12;
/** What is sealed at once of a large row. */
const pieceBytes = 16 * 1024;
/** A full bundle of a log's entries of a usual size fits. */
const maxKeptRoom = 160 * 1024;

/**
 * Seals rows so that a row opens only under its own table, id and version. A small row is nonce (24) and secretbox, and its name stands inside
 * the box before its bytes, for secretbox alone has no associated data, and two swapped rows would open. A large one is nonce (12),
 * AES-256-GCM under a key of its own with the name as associated data, and tag (16). A nonce of 12 random bytes is safe for 2^32 rows, that is 16
 * TiB of large rows under one store key. A first byte tells which: 0 or 1.
 */
export class RowSeal {
  readonly #key: Secret;
  readonly #smallKey: Uint8Array;
  #largeKey: KeyObject | null;
  readonly #random: Random;
  #nonces = new Uint8Array(0);
  /** For sealed rows, nothing in plain. */
  #room = new Uint8Array(0);

  constructor(key: Secret, random: Random) {
    this.#key = key;
    this.#random = random;
    this.#smallKey = this.derive("rows");
    const largeKey = this.derive("large rows");
    this.#largeKey = createSecretKey(largeKey);
    largeKey.fill(0);
  }

  /** A view, good until the next call. */
  seal(name: RowName, plain: Uint8Array): Uint8Array {
    return plain.length < largeFrom ? this.#sealSmall(name, plain) : this.#sealLarge(name, plain);
  }

  /** Throws STORE_DAMAGED where the bytes were not sealed under this name. */
  open(name: RowName, sealed: Uint8Array): Uint8Array {
    const plain = sealed[0] === form.large ? this.#openLarge(name, sealed) : this.#openSmall(name, sealed);
    if (plain === null) throw new StoreError("STORE_DAMAGED", `a row of table ${name.table} does not unseal`);
    return plain;
  }

  #sealSmall(name: RowName, plain: Uint8Array): Uint8Array {
    const named = concat(rowNameBytes(name), plain);
    const nonce = this.#nonce(nonceBytes);
    const sealed = concat(smallForm, nonce, nacl.secretbox(named, nonce, this.#smallKey));
    named.fill(0);
    return sealed;
  }

  #openSmall(name: RowName, sealed: Uint8Array): Uint8Array | null {
    if (sealed[0] !== form.small || sealed.length < 1 + nonceBytes + tagBytes) return null;
    const named = nacl.secretbox.open(sealed.subarray(1 + nonceBytes), sealed.subarray(1, 1 + nonceBytes), this.#smallKey);
    const expected = rowNameBytes(name);
    if (named !== null && sameBytes(named.subarray(0, expected.length), expected)) return named.subarray(expected.length);
    named?.fill(0);
    return null;
  }

  /** In pieces, into memory that is there: to get new memory of that size takes longer than to seal it. */
  #sealLarge(name: RowName, plain: Uint8Array): Uint8Array {
    const nonce = this.#nonce(largeNonceBytes);
    const cipher = createCipheriv(largeCipher, this.#openKey(), nonce).setAAD(rowNameBytes(name));
    const sealed = this.#roomFor(1 + largeNonceBytes + plain.length + tagBytes);
    sealed[0] = form.large;
    sealed.set(nonce, 1);
    let at = 1 + largeNonceBytes;
    for (let from = 0; from < plain.length; from += pieceBytes) {
      const piece = cipher.update(plain.subarray(from, from + pieceBytes));
      sealed.set(piece, at);
      at += piece.length;
    }
    // GCM is a stream: nothing is left for the end.
    cipher.final();
    sealed.set(cipher.getAuthTag(), at);
    return sealed;
  }

  #roomFor(length: number): Uint8Array {
    if (length > maxKeptRoom) return new Uint8Array(length);
    if (this.#room.length < length) this.#room = new Uint8Array(maxKeptRoom);
    return this.#room.subarray(0, length);
  }

  #openLarge(name: RowName, sealed: Uint8Array): Uint8Array | null {
    if (sealed.length < 1 + largeNonceBytes + tagBytes) return null;
    const nonce = sealed.subarray(1, 1 + largeNonceBytes);
    const decipher = createDecipheriv(largeCipher, this.#openKey(), nonce, { authTagLength: tagBytes });
    decipher.setAAD(rowNameBytes(name)).setAuthTag(sealed.subarray(sealed.length - tagBytes));
    const plain = decipher.update(sealed.subarray(1 + largeNonceBytes, sealed.length - tagBytes));
    try {
      decipher.final();
      return plain;
    } catch {
      plain.fill(0);
      return null;
    }
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
    this.#smallKey.fill(0);
    // What OpenSSL holds of it is overwritten when it is collected.
    this.#largeKey = null;
  }

  #openKey(): KeyObject {
    assert(this.#largeKey !== null, "a seal that was not wiped");
    return this.#largeKey;
  }

  /** Random bytes that nothing else gets: what a draw has left and is too short is not used. */
  #nonce(length: number): Uint8Array {
    if (this.#nonces.length < length) this.#nonces = this.#random(nonceBytesPerDraw) as Uint8Array<ArrayBuffer>;
    const nonce = this.#nonces.subarray(0, length);
    this.#nonces = this.#nonces.subarray(length);
    return nonce;
  }
}
