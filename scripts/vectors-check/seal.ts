import { hash } from "node:crypto";
import { sealingKeyFromSeed } from "../../protocol/keys/index.ts";
import { openBody, openEscrow, type SealLabel } from "../../protocol/seal/index.ts";
import { bytesOf, expectBytes, type Result, runCases, type VectorCase, type VectorFile } from "./vector-file.ts";

/** Opening sealed bodies and escrow blobs. */
export function check(file: VectorFile): Result[] {
  return runCases(file, runCase);
}

/** A long plaintext is given by its hash. */
function runCase(vector: VectorCase): void {
  const plaintext = open(vector);
  if (vector["plaintextSha256"] === undefined) expectBytes(vector, "plaintext", plaintext);
  else expectBytes(vector, "plaintextSha256", hash("sha256", plaintext, "buffer"));
}

function open(vector: VectorCase): Uint8Array {
  const key = sealingKeyFromSeed(bytesOf(vector, "seed"));
  if (vector["kind"] === "escrow") {
    return openEscrow({
      vaultId: bytesOf(vector, "vaultId"),
      nodeId: bytesOf(vector, "nodeId"),
      reportContext: bytesOf(vector, "reportContext"),
      key,
      blob: bytesOf(vector, "blob"),
    });
  }
  return openBody({
    context: bytesOf(vector, "context"),
    key,
    encapsulated: bytesOf(vector, "encapsulated"),
    commitment: bytesOf(vector, "commitment"),
    ciphertext: bytesOf(vector, "ciphertext"),
    label: vector["label"] as SealLabel,
  });
}
