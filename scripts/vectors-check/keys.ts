import {
  importSealingPublicKey,
  importVerifyKey,
  type KeyAlgorithm,
  keyIdOf,
  sealingKeyFromSeed,
  signingKeyFromSeed,
} from "../../protocol/keys/index.ts";
import { bytesOf, expectBytes, type Result, runCases, type VectorCase, type VectorFile } from "./vector-file.ts";

/** Key ids, key imports and X-Wing. */
export function check(file: VectorFile): Result[] {
  return runCases(file, runCase);
}

function runCase(vector: VectorCase): void {
  switch (vector["kind"]) {
    case "key id":
      return expectBytes(vector, "keyId", keyIdOf(vector["algorithm"] as KeyAlgorithm, bytesOf(vector, "publicKey")));
    case "ed25519 import":
      return void importVerifyKey(bytesOf(vector, "publicKey"));
    case "ed25519 signature":
      return checkSignature(vector);
    case "sealing import":
      return void importSealingPublicKey(bytesOf(vector, "publicKey"));
    case "x-wing":
      return checkXWing(vector);
    default:
      throw new Error(`kind ${String(vector["kind"])}`);
  }
}

function checkSignature(vector: VectorCase): void {
  const message = bytesOf(vector, "message");
  const key = signingKeyFromSeed(bytesOf(vector, "seed"));
  expectBytes(vector, "publicKey", key.publicKey);
  expectBytes(vector, "signature", key.sign(message));
  if (!importVerifyKey(key.publicKey).verify(message, bytesOf(vector, "signature"))) throw new Error("does not verify");
}

function checkXWing(vector: VectorCase): void {
  const key = sealingKeyFromSeed(bytesOf(vector, "seed"));
  expectBytes(vector, "publicKey", key.publicKey);
  expectBytes(vector, "secret", key.decapsulate(bytesOf(vector, "ciphertext")));
}
