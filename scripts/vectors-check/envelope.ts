import { decodeCarrier, decodeEnvelope, pae, verifyEnvelope } from "../../protocol/envelope/index.ts";
import { importVerifyKey } from "../../protocol/keys/index.ts";
import { bytesOf, expectBytes, expectSame, type Result, runCases, type VectorCase, type VectorFile } from "./vector-file.ts";

/** PAE, envelopes with their signature, carriers. */
export function check(file: VectorFile): Result[] {
  return runCases(file, runCase);
}

function runCase(vector: VectorCase): void {
  switch (vector["kind"]) {
    case "pae":
      return expectBytes(vector, "pae", pae(String(vector["type"]), bytesOf(vector, "payload")));
    case "envelope":
      return checkEnvelope(vector);
    case "carrier":
      return checkCarrier(vector);
    default:
      throw new Error(`kind ${String(vector["kind"])}`);
  }
}

function checkEnvelope(vector: VectorCase): void {
  const envelope = decodeEnvelope(bytesOf(vector, "bytes"));
  verifyEnvelope(envelope, importVerifyKey(bytesOf(vector, "publicKey")));
  if (vector["id"] === undefined) return;
  expectSame(vector, "type", envelope.type);
  expectBytes(vector, "payload", envelope.payload);
  expectBytes(vector, "id", envelope.id);
}

function checkCarrier(vector: VectorCase): void {
  const carrier = decodeCarrier(bytesOf(vector, "bytes"));
  expectSame(vector, "statements", carrier.statements.length);
  expectBytes(vector, "envelope", carrier.envelope);
  expectBytes(vector, "body", carrier.body);
}
