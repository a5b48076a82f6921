import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { ml_kem768_x25519 } from "@noble/post-quantum/hybrid.js";
import t from "tap";
import { concat, encodeTcbor, fromHex, toHex } from "../../protocol/base/index.ts";
import { decodeEnvelope, pae, signEnvelope, typeText, verifyEnvelope } from "../../protocol/envelope/index.ts";
import { importSealingPublicKey, importVerifyKey, sealingKeyFromSeed } from "../../protocol/keys/index.ts";
import { openBody, type SealLabel, sealBody } from "../../protocol/seal/index.ts";
import type { VectorFile } from "../../scripts/vectors-check/vector-file.ts";
import { sampleRecipient, sampleSealer, sampleSigner } from "../protocol/sample-vault.ts";
import { pynacl, type Tool, versionOf } from "./tool.ts";

const openssl: Tool = { aptPackage: "openssl", command: "openssl", probe: ["version"] };
/** SPKI DER of an Ed25519 key up to the key itself; RFC 8410 section 4. */
const spkiPrefix = fromHex("302a300506032b6570032100") as Uint8Array;
const pkcs8Prefix = fromHex("302e020100300506032b657004220420") as Uint8Array;

t.test("X-Wing is the one of @noble/post-quantum, in both directions", async (t) => {
  for (const byte of [0, 1, 200, 255]) {
    const seed = new Uint8Array(32).fill(byte);
    const ours = sealingKeyFromSeed(seed);
    const theirs = ml_kem768_x25519.keygen(seed);
    t.same(theirs.publicKey, ours.publicKey, "public key");
    const fromUs = importSealingPublicKey(ours.publicKey).encapsulate();
    t.same(ml_kem768_x25519.decapsulate(fromUs.ciphertext, theirs.secretKey), fromUs.secret, "they open ours");
    const fromThem = ml_kem768_x25519.encapsulate(theirs.publicKey);
    t.same(ours.decapsulate(fromThem.cipherText), fromThem.sharedSecret, "we open theirs");
    const changed = fromUs.ciphertext.slice();
    changed[5] = (changed[5] ?? 0) ^ 1;
    t.same(
      ml_kem768_x25519.decapsulate(changed, theirs.secretKey),
      ours.decapsulate(changed),
      "implicit rejection is the same",
    );
  }
});

t.test("the X-Wing draft's encapsulation seeds give its ciphertexts", async (t) => {
  const path = resolve(import.meta.dirname, "../../protocol/vectors/x-wing.json");
  const { cases } = JSON.parse(readFileSync(path, "utf8")) as VectorFile;
  t.equal(cases.length, 3);
  for (const vector of cases) {
    const bytes = (field: string) => fromHex(String(vector[field])) as Uint8Array;
    const { cipherText, sharedSecret } = ml_kem768_x25519.encapsulate(bytes("publicKey"), bytes("encapsulationSeed"));
    t.equal(toHex(cipherText), vector["ciphertext"]);
    t.equal(toHex(sharedSecret), vector["secret"]);
    t.equal(toHex(sealingKeyFromSeed(bytes("seed")).decapsulate(cipherText)), vector["secret"]);
  }
});

t.test("openssl verifies our signature over the PAE, and we verify its own", async (t) => {
  const version = versionOf(t, openssl);
  if (version === null) return;
  t.comment(version);
  const folder = t.testdir({});
  const file = (name: string, content: Uint8Array) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const run = (...args: string[]) => spawnSync("openssl", ["pkeyutl", ...args]);
  const key = sampleSigner(1);
  const payload = encodeTcbor(["a payload for openssl", 1]);
  const message = pae(typeText("notice"), payload);
  const publicFile = file("public.der", concat(spkiPrefix, key.publicKey));
  const ours = decodeEnvelope(signEnvelope("notice", payload, [key])).signatures[0]?.signature ?? new Uint8Array(0);
  const verify = ["-verify", "-pubin", "-keyform", "DER", "-inkey", publicFile, "-rawin", "-sigfile", file("signature", ours)];
  t.equal(run(...verify, "-in", file("message", message)).status, 0);
  t.not(run(...verify, "-in", file("changed", pae(typeText("member"), payload))).status, 0, "another type");
  const privateFile = file("private.der", concat(pkcs8Prefix, new Uint8Array(32).fill(1)));
  const theirs = run("-sign", "-keyform", "DER", "-inkey", privateFile, "-rawin", "-in", join(folder, "message"));
  t.equal(theirs.status, 0);
  const envelope = encodeTcbor(["tidegate/1", typeText("notice"), payload, [[key.keyId, new Uint8Array(theirs.stdout)]]]);
  t.doesNotThrow(() => verifyEnvelope(decodeEnvelope(envelope), importVerifyKey(key.publicKey)));
});

t.test("PyNaCl opens what we seal, and we open what it seals", async (t) => {
  const version = versionOf(t, pynacl);
  if (version === null) return;
  t.comment(version);
  const seed = new Uint8Array(32).fill(1);
  const context = encodeTcbor(["a context"]);
  const python = (job: Record<string, string>): Record<string, string> | null => {
    const script = resolve(import.meta.dirname, "seal.py");
    const run = spawnSync(pynacl.command, [script], { input: JSON.stringify(job), encoding: "utf8", maxBuffer: 4 << 20 });
    return run.status === 0 ? (JSON.parse(run.stdout) as Record<string, string>) : null;
  };
  const jobs: [number, SealLabel][] = [
    [300, "escrow"],
    [65_535, "body"],
    [200_000, "body"],
  ];
  for (const [length, label] of jobs) {
    const plaintext = Uint8Array.from({ length }, (_, index) => index % 256);
    const sealed = sealBody({ context, recipient: sampleRecipient(1), plaintext, label });
    const frame = { context: toHex(context), recipient: toHex(sampleSealer(1).publicKey), label };
    const secret = ml_kem768_x25519.decapsulate(sealed.encapsulated, ml_kem768_x25519.keygen(seed).secretKey);
    const job = {
      ...frame,
      do: "open",
      secret: toHex(secret),
      encapsulated: toHex(sealed.encapsulated),
      commitment: toHex(sealed.commitment),
      ciphertext: toHex(sealed.ciphertext),
    };
    t.equal(python(job)?.["plaintext"], toHex(plaintext), `${label} of ${length} bytes`);
    t.equal(python({ ...job, context: "00" }), null, "not in another context");
    const theirs = ml_kem768_x25519.encapsulate(sampleSealer(1).publicKey);
    const encapsulated = theirs.cipherText;
    const made = python({
      ...frame,
      do: "seal",
      secret: toHex(theirs.sharedSecret),
      encapsulated: toHex(encapsulated),
      plaintext: toHex(plaintext),
    });
    const [commitment, ciphertext] = ["commitment", "ciphertext"].map((name) => fromHex(made?.[name] ?? "") as Uint8Array);
    t.ok(commitment && ciphertext, "PyNaCl seals");
    if (!commitment || !ciphertext) return;
    const opened = openBody({ encapsulated, commitment, ciphertext, context, key: sampleSealer(1), label });
    t.ok(Buffer.from(opened).equals(plaintext), `its own ${label} of ${length} bytes`);
  }
});
