// Writes protocol/vectors/keys.json.
import { concat, fromHex } from "../../protocol/base/index.ts";
import { keyIdOf, sealingKeyFromSeed, signingKeyFromSeed, smallOrderEncodings } from "../../protocol/keys/index.ts";
import { writeVectors } from "./write-vectors.ts";

const seed = (byte: number) => new Uint8Array(32).fill(byte);
const ed25519 = signingKeyFromSeed(seed(1)).publicKey;
const xWing = sealingKeyFromSeed(seed(2)).publicKey;
/** The base point of P-256, SEC 2 section 2.4.2. */
const p256 =
  "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
/** RFC 8032 section 7.1: seed, public key, message, signature. */
const rfc8032 = [
  [
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  ],
  [
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  ],
] as const;

const unreduced = concat(Uint8Array.of(0x01, 0x0d), xWing.subarray(2));
const keyIds = [
  { name: "key id of an Ed25519 key", algorithm: 1, publicKey: ed25519 },
  { name: "key id of an X-Wing key", algorithm: 3, publicKey: xWing },
  { name: "key id of a P-256 key", algorithm: 4, publicKey: fromHex(p256) as Uint8Array },
] as const;

writeVectors("keys", {
  area: "keys",
  about: "Key ids, Ed25519 and X-Wing keys that are taken and refused, and signatures of RFC 8032 section 7.1.",
  cases: [
    ...keyIds.map((one) => ({ ...one, expect: "ok", kind: "key id", keyId: keyIdOf(one.algorithm, one.publicKey) })),
    ...rfc8032.map(([privateSeed, publicKey, message, signature], index) => ({
      name: `Ed25519 signature, RFC 8032 test ${index + 1}`,
      expect: "ok",
      kind: "ed25519 signature",
      seed: privateSeed,
      publicKey,
      message,
      signature,
    })),
    { name: "an Ed25519 key", expect: "ok", kind: "ed25519 import", publicKey: ed25519 },
    ...smallOrderEncodings.map((publicKey, index) => ({
      name: `Ed25519 key of small order, ${index + 1} of 14`,
      expect: "KEY_WEAK",
      kind: "ed25519 import",
      publicKey,
    })),
    { name: "Ed25519 key with y = p + 2", expect: "KEY_WEAK", kind: "ed25519 import", publicKey: `ef${"ff".repeat(30)}7f` },
    { name: "Ed25519 key with y = 2^255 - 1", expect: "KEY_WEAK", kind: "ed25519 import", publicKey: "ff".repeat(32) },
    { name: "Ed25519 key of 31 bytes", expect: "KEY_MALFORMED", kind: "ed25519 import", publicKey: ed25519.subarray(1) },
    {
      name: "Ed25519 key of 33 bytes",
      expect: "KEY_MALFORMED",
      kind: "ed25519 import",
      publicKey: concat(ed25519, seed(0).subarray(31)),
    },
    { name: "an X-Wing key", expect: "ok", kind: "sealing import", publicKey: xWing },
    { name: "X-Wing key of 1,215 bytes", expect: "KEY_MALFORMED", kind: "sealing import", publicKey: xWing.subarray(1) },
    {
      name: "X-Wing key with an ML-KEM coefficient of 3329",
      expect: "KEY_MALFORMED",
      kind: "sealing import",
      publicKey: unreduced,
    },
    {
      name: "X-Wing key whose X25519 half is 0",
      expect: "KEY_WEAK",
      kind: "sealing import",
      publicKey: concat(xWing.subarray(0, 1184), seed(0)),
    },
    {
      name: "X-Wing key whose X25519 half is 1",
      expect: "KEY_WEAK",
      kind: "sealing import",
      publicKey: concat(xWing.subarray(0, 1184), Uint8Array.of(1), seed(0).subarray(1)),
    },
  ],
});
