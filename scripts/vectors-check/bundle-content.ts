import {
  decodeContent,
  decodeFact,
  encodeContent,
  encodeFact,
  fingerprintOf,
  makeFields,
  parsePath,
  parsePattern,
  patternMatches,
} from "../../protocol/content/index.ts";
import { bytesOf, expectBytes, expectSame, type VectorCase } from "./vector-file.ts";

/** Payloads of entries and facts, fingerprints, paths and patterns. */
export function checkContent(vector: VectorCase): void {
  switch (vector["kind"]) {
    case "entry content":
      return checkEncoded(vector, encodeContent(decodeContent(vector["type"] as number, bytesOf(vector, "payload"))));
    case "fact content":
      return checkEncoded(
        vector,
        encodeFact(decodeFact({ type: vector["type"] as number, payload: bytesOf(vector, "payload") })),
      );
    case "fingerprint":
      return expectBytes(vector, "fingerprint", fingerprintOf(bytesOf(vector, "key"), fieldsOf(vector)));
    case "pattern":
      return checkPattern(vector);
    default:
      throw new Error(`kind ${String(vector["kind"])}`);
  }
}

function checkEncoded(vector: VectorCase, again: { type: number; payload: Uint8Array }): void {
  expectSame(vector, "type", again.type);
  expectBytes(vector, "payload", again.payload);
}

function fieldsOf(vector: VectorCase) {
  const fields = vector["fields"] as readonly [name: string, value: string][];
  return makeFields(fields.map(([name, value]) => [name, new Uint8Array(Buffer.from(value, "hex"))] as const));
}

function checkPattern(vector: VectorCase): void {
  const path = parsePath(vector["path"] as string);
  const covered = patternMatches(parsePattern(vector["pattern"] as string), path);
  if (covered !== vector["covered"]) throw new Error(`covered is ${covered}`);
}
