import nacl from "tweetnacl";
import { assert } from "../../protocol/base/index.ts";

/** The parts that tweetnacl's secretbox is made of; exported by the library, left out of its types. */
interface LowLevel {
  crypto_core_hsalsa20(out: Uint8Array, input: Uint8Array, key: Uint8Array, constant: Uint8Array): void;
  /** XORs `length` bytes of `message` with the Salsa20 stream; an 8-byte nonce. */
  crypto_stream_salsa20_xor(
    out: Uint8Array,
    outAt: number,
    message: Uint8Array,
    messageAt: number,
    length: number,
    nonce: Uint8Array,
    key: Uint8Array,
  ): void;
  /** 0 where the tag is right; compares in constant time. */
  crypto_onetimeauth_verify(
    tag: Uint8Array,
    tagAt: number,
    message: Uint8Array,
    messageAt: number,
    length: number,
    key: Uint8Array,
  ): number;
}

// Exported by the library, but missing from its types.
const { lowlevel } = nacl as unknown as { readonly lowlevel: LowLevel };
const sigma = new TextEncoder().encode("expand 32-byte k");
const tagBytes = 16;
/** The stream's first 32 bytes are the one-time key of the tag; the message begins behind them. */
const messageAt = 32;

/**
 * One secretbox that is opened again and again. It opens exactly what `nacl.secretbox` sealed, but derives the nonce's key once and
 * writes into a buffer that is already there: a third of the time, and it is the larger part of a read's cost.
 */
export class RepeatedSecretbox {
  readonly #subkey = new Uint8Array(32);
  readonly #nonceEnd: Uint8Array;
  /** 32 zeros, then the ciphertext. */
  readonly #input: Uint8Array;
  readonly #tag: Uint8Array;
  /** Bytes of the plaintext. */
  readonly length: number;

  /** Seals `plain`; key of 32 bytes, nonce of 24, never used before under this key. */
  constructor(plain: Uint8Array, nonce: Uint8Array, key: Uint8Array) {
    const sealed = nacl.secretbox(plain, nonce, key);
    lowlevel.crypto_core_hsalsa20(this.#subkey, nonce.subarray(0, 16), key, sigma);
    this.#nonceEnd = nonce.slice(16);
    this.#tag = sealed.slice(0, tagBytes);
    this.#input = new Uint8Array(messageAt + plain.length);
    this.#input.set(sealed.subarray(tagBytes), messageAt);
    this.length = plain.length;
  }

  /** Opens into `scratch` (at least 32 bytes longer than the plaintext) and returns the part of it to read and then wipe. */
  open(scratch: Uint8Array): Uint8Array {
    const { length } = this.#input;
    assert(scratch.length >= length, "room for the plaintext");
    lowlevel.crypto_stream_salsa20_xor(scratch, 0, this.#input, 0, length, this.#nonceEnd, this.#subkey);
    const verified = lowlevel.crypto_onetimeauth_verify(this.#tag, 0, this.#input, messageAt, this.length, scratch) === 0;
    scratch.fill(0, 0, messageAt);
    if (!verified) scratch.fill(0, 0, length);
    assert(verified, "what this process sealed opens");
    return scratch.subarray(messageAt, length);
  }

  /** Forgets the key. */
  wipe(): void {
    this.#subkey.fill(0);
  }
}
