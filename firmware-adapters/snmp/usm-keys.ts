import { createHash } from "node:crypto";

/** Hashes of RFC 3414 (SHA-1) and RFC 7860 (SHA-2), by the names that a device's settings use. */
export const usmHashes = {
  "SHA-1": { algorithm: "sha1", length: 20 },
  "SHA-224": { algorithm: "sha224", length: 28 },
  "SHA-256": { algorithm: "sha256", length: 32 },
  "SHA-384": { algorithm: "sha384", length: 48 },
  "SHA-512": { algorithm: "sha512", length: 64 },
} as const;

export type UsmHash = keyof typeof usmHashes;

/** Ciphers of RFC 3826 (AES-128) and of the two drafts for AES-256, with their key lengths in bytes. */
export const usmCiphers = { "AES-128": 16, "AES-256": 32 } as const;

export type UsmCipher = keyof typeof usmCiphers;

/** How a localised key grows to 256 bits: draft-blumenthal-aes-usm-04 or draft-reeder-snmpv3-usm-3desede-00. */
export type KeyExtension = "blumenthal" | "reeder";

/** Which keys a user has. */
export interface UsmProtocols {
  readonly hash: UsmHash;
  readonly cipher: UsmCipher;
  readonly extension: KeyExtension;
}

/** RFC 3414 section 2.6 stretches a passphrase to this many bytes. */
const stretchedLength = 1_048_576;

/** The authentication key of `passphrase` at one engine (RFC 3414 section 2.6, appendix A.2). */
export function localizedKey(hash: UsmHash, passphrase: Uint8Array, engineId: Uint8Array): Uint8Array {
  const stretched = Buffer.alloc(stretchedLength, passphrase);
  const key = digest(hash, stretched);
  stretched.fill(0);
  const localized = digest(hash, key, engineId, key);
  key.fill(0);
  return localized;
}

/** The privacy key of `passphrase` at one engine, as long as the cipher wants it. */
export function privacyKey(protocols: UsmProtocols, passphrase: Uint8Array, engineId: Uint8Array): Uint8Array {
  const { hash, cipher, extension } = protocols;
  const wanted = usmCiphers[cipher];
  let last = localizedKey(hash, passphrase, engineId);
  let key = last;
  while (key.length < wanted) {
    last = extension === "blumenthal" ? digest(hash, key) : localizedKey(hash, last, engineId);
    key = Buffer.concat([key, last]);
  }
  return key.slice(0, wanted);
}

/**
 * The KeyChange value that takes `oldKey` to `newKey` (RFC 3414 section 5, textual convention KeyChange): `random`,
 * then the delta. All three are of the new key's length; a hash shorter than that goes several rounds.
 */
export function keyChange(hash: UsmHash, oldKey: Uint8Array, newKey: Uint8Array, random: Uint8Array): Uint8Array {
  const length = newKey.length;
  const value = new Uint8Array(2 * length);
  value.set(random, 0);
  let temporary = oldKey;
  for (let at = 0; at < length; at += usmHashes[hash].length) {
    temporary = digest(hash, temporary, random);
    const round = Math.min(usmHashes[hash].length, length - at);
    for (let i = 0; i < round; i += 1) value[length + at + i] = (temporary[i] ?? 0) ^ (newKey[at + i] ?? 0);
  }
  return value;
}

function digest(hash: UsmHash, ...parts: readonly Uint8Array[]): Uint8Array {
  const state = createHash(usmHashes[hash].algorithm);
  for (const part of parts) state.update(part);
  return state.digest();
}
