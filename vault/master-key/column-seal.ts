import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import nacl from "tweetnacl";
import { assert, concat, encodeTcbor, type Random, type Secret } from "../../protocol/base/index.ts";
import { MasterKeyError } from "./codes.ts";

/** Where a sealed value stands. It is bound in, so that two swapped rows do not open. */
export interface ColumnPlace {
  readonly table: string;
  /** The row's primary key; composite keys are concatenated with fixed-length numbers. */
  readonly row: Uint8Array;
  readonly column: string;
  /** Bound in as well; 0 where a row's value is written once. */
  readonly version?: number;
}

const formatVersion = 1;
const nonceLength = 24;
const firstBlock = Uint8Array.of(1);

/** Seals the secret columns of the vault's store under one 32-byte master key. */
export class ColumnSeal {
  readonly #secret: Secret;
  #key: KeyObject | null;
  readonly #random: Random;

  constructor(key: Secret, random: Random) {
    assert(key.length === 32, "the master key has 32 bytes");
    this.#secret = key;
    this.#key = key.use(createSecretKey);
    this.#random = random;
  }

  /** Layout: u8 1 ‖ nonce 24 ‖ secretbox. */
  seal(place: ColumnPlace, plaintext: Uint8Array): Uint8Array {
    const nonce = this.#random(nonceLength);
    const key = this.#columnKey(place);
    const box = nacl.secretbox(plaintext, nonce, key);
    key.fill(0);
    return concat(Uint8Array.of(formatVersion), nonce, box);
  }

  /** The plaintext, which the caller wipes. Throws MASTER_KEY_OPEN_FAILED. */
  open(place: ColumnPlace, sealed: Uint8Array): Uint8Array {
    const key = this.#columnKey(place);
    const nonce = sealed.subarray(1, 1 + nonceLength);
    const whole = sealed[0] === formatVersion && nonce.length === nonceLength;
    const plaintext = whole ? nacl.secretbox.open(sealed.subarray(1 + nonceLength), nonce, key) : null;
    key.fill(0);
    if (plaintext === null) {
      throw new MasterKeyError("MASTER_KEY_OPEN_FAILED", `${place.table}.${place.column} does not open under this master key`, {
        hint: "The store belongs to another key or is damaged; restore both from one backup.",
      });
    }
    return plaintext;
  }

  /** The key (32 bytes) of the backup that has this salt; the caller wipes it. */
  backupKey(salt: Uint8Array): Uint8Array {
    return this.#expand(encodeTcbor(["tidegate/1 vault backup", salt]));
  }

  /** Overwrites the master key; sealing after it is a bug. */
  wipe(): void {
    this.#secret.wipe();
    this.#key = null;
  }

  #columnKey(place: ColumnPlace): Uint8Array {
    return this.#expand(encodeTcbor(["tidegate/1 vault column", place.table, place.row, place.column, place.version ?? 0]));
  }

  /** HKDF-Expand (RFC 5869 section 2.3) of one block: the master key is uniform already, and the native call costs five times as much. */
  #expand(info: Uint8Array): Uint8Array {
    assert(this.#key !== null, "the column seal is used before it is wiped");
    return createHmac("sha256", this.#key).update(info).update(firstBlock).digest();
  }
}
