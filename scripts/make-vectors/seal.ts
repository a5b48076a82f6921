// Writes protocol/vectors/seal.json. Encapsulation comes from @noble/post-quantum with a fixed seed, since the runtime's takes none.
import { createHash, hkdfSync } from "node:crypto";
import { ml_kem768_x25519 } from "@noble/post-quantum/hybrid.js";
import nacl from "tweetnacl";
import { concat, encodeTcbor, u64be, utf8 } from "../../protocol/base/index.ts";
import { type SealingPublicKey, sealingKeyFromSeed } from "../../protocol/keys/index.ts";
import { type SealLabel, sealBody, sealEscrow } from "../../protocol/seal/index.ts";
import { flipBit, variants, writeVectors } from "./write-vectors.ts";

const seed = new Uint8Array(32).fill(5);
const key = sealingKeyFromSeed(seed);
const context = encodeTcbor(new Map([[1, "the header's keys 1 to 30"]]));

/** The public key with an encapsulation that draws nothing. */
const recipient: SealingPublicKey = {
  publicKey: key.publicKey,
  publicKeyDigest: key.publicKeyDigest,
  keyId: key.keyId,
  encapsulate() {
    const { cipherText, sharedSecret } = ml_kem768_x25519.encapsulate(key.publicKey, new Uint8Array(64).fill(6));
    return { secret: sharedSecret, ciphertext: cipherText };
  },
};

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();

/** A seal whose padded plaintext and nonces are given, to make what an honest sealer never makes. */
function sealRaw(chunks: readonly { padded: Uint8Array; index: number; last: boolean }[], label: SealLabel = "body") {
  const { secret, ciphertext: encapsulated } = recipient.encapsulate();
  const info = concat(
    utf8(`tidegate/1 ${label}`),
    Uint8Array.of(0, 1),
    sha256(context),
    sha256(key.publicKey),
    sha256(encapsulated),
  );
  const derived = new Uint8Array(hkdfSync("sha256", secret, new Uint8Array(0), info, 64));
  const boxes = chunks.map(({ padded, index, last }) => {
    const nonce = concat(utf8("tg1.body"), new Uint8Array(7), u64be(index), Uint8Array.of(last ? 1 : 0));
    return nacl.secretbox(padded, nonce, derived.slice(0, 32));
  });
  return { encapsulated, commitment: derived.slice(32), ciphertext: concat(...boxes) };
}

function padded(length: number, ...from: number[]): Uint8Array {
  const out = new Uint8Array(length);
  out.set(from);
  return out;
}

const one = (bytes: Uint8Array) => sealRaw([{ padded: bytes, index: 0, last: true }]);
const plaintext = utf8("a body of a few bytes");
const good = sealBody({ context, recipient, plaintext });
const big = Uint8Array.from({ length: 65_600 }, (_, index) => index % 251);
const bigSeal = sealBody({ context, recipient, plaintext: big });
const stride = 65_536 + 16;
const full = new Uint8Array(65_536);
const rest = padded(256, 0x80);

const accepted = variants({ kind: "seal", expect: "ok", seed, context, label: "body" }, [
  { name: "a body of 21 bytes", ...good, plaintext },
  { name: "an empty body", ...sealBody({ context, recipient, plaintext: new Uint8Array(0) }), plaintext: "" },
  ...[255, 256].map((length) => {
    const content = new Uint8Array(length).fill(0x80);
    return {
      name: `a body of ${length} bytes of 80`,
      ...sealBody({ context, recipient, plaintext: content }),
      plaintext: content,
    };
  }),
  { name: "an escrow plaintext", ...sealBody({ context, recipient, plaintext, label: "escrow" }), plaintext, label: "escrow" },
  { name: "a body of two chunks", ...bigSeal, plaintextSha256: sha256(big).toString("hex") },
]);

const refused = variants({ kind: "seal", expect: "SEAL_OPEN_FAILED", seed, context, label: "body", ...good }, [
  { name: "a turned bit in the context", context: flipBit(context, 30) },
  { name: "another recipient", seed: new Uint8Array(32).fill(7) },
  { name: "the other label", label: "escrow" },
  { name: "a turned bit in the ML-KEM ciphertext", encapsulated: flipBit(good.encapsulated, 77) },
  { name: "a turned bit in the X25519 ciphertext", encapsulated: flipBit(good.encapsulated, 1088 * 8 + 7) },
  { name: "an X25519 ciphertext of 0", encapsulated: concat(good.encapsulated.subarray(0, 1088), new Uint8Array(32)) },
  { name: "a KEM ciphertext of 1,119 bytes", encapsulated: good.encapsulated.subarray(1) },
  { name: "a turned bit in the commitment", commitment: flipBit(good.commitment, 255) },
  { name: "a commitment of 31 bytes", commitment: good.commitment.subarray(1) },
  { name: "a turned bit in the tag", ciphertext: flipBit(good.ciphertext, 0) },
  { name: "a turned bit in the last byte", ciphertext: flipBit(good.ciphertext, good.ciphertext.length * 8 - 1) },
  { name: "a ciphertext cut short", ciphertext: good.ciphertext.subarray(0, -1) },
  { name: "a ciphertext with a byte more", ciphertext: concat(good.ciphertext, Uint8Array.of(0)) },
  { name: "no ciphertext", ciphertext: "" },
  { name: "a ciphertext of a tag only", ...sealRaw([{ padded: new Uint8Array(0), index: 0, last: true }]) },
  { name: "the last of two chunks missing", ...bigSeal, ciphertext: bigSeal.ciphertext.subarray(0, stride) },
  { name: "a single chunk not marked as the last", ...sealRaw([{ padded: rest, index: 0, last: false }]) },
  {
    name: "a last chunk with a wrong number",
    ...sealRaw([
      { padded: full, index: 0, last: false },
      { padded: rest, index: 2, last: true },
    ]),
  },
  { name: "padding of zeros only", ...one(padded(256)) },
  { name: "padding that does not begin with 80", ...one(padded(256, 1, 0x81)) },
  { name: "padding with a byte that is not zero", ...one(concat(padded(255, 1, 0x80), Uint8Array.of(1))) },
  { name: "a padded plaintext of 255 bytes", ...one(padded(255, 1, 0x80)) },
  { name: "256 zeros after the 80", ...one(padded(512, ...Array(255).fill(1), 0x80)) },
]);

const escrowContext = { vaultId: new Uint8Array(32).fill(8), nodeId: new Uint8Array(20).fill(9), reportContext: context };
const blob = sealEscrow({ ...escrowContext, recipient, plaintext });
const escrows = variants({ kind: "escrow", expect: "SEAL_OPEN_FAILED", seed, ...escrowContext, blob, plaintext }, [
  { name: "an escrow blob", expect: "ok" },
  { name: "an escrow blob of another vault", vaultId: new Uint8Array(32) },
  { name: "an escrow blob of another node", nodeId: new Uint8Array(20) },
  { name: "an escrow blob beside another report", reportContext: flipBit(context, 50) },
  { name: "an escrow blob for another recovery key", seed: new Uint8Array(32) },
  { name: "an escrow blob cut short", blob: blob.subarray(0, -1) },
  { name: "an escrow blob with a turned bit", blob: flipBit(blob, blob.length * 8 - 9) },
  { name: "an escrow blob of four items", blob: encodeTcbor([good.encapsulated, good.commitment, good.ciphertext, null]) },
  { name: "a body in the place of an escrow blob", blob: encodeTcbor([good.encapsulated, good.commitment, good.ciphertext]) },
]);

writeVectors("seal", {
  area: "seal",
  about:
    "Sealed bodies and escrow blobs. All of them encapsulate with the 64 bytes 06: see x-wing.json for what encapsulation draws.",
  cases: [...accepted, ...refused, ...escrows],
});
