import {
  applyStatements,
  checkMember,
  decodeMember,
  decodeRevoked,
  decodeRoot,
  encodeMember,
  encodeRevoked,
  encodeRoot,
  memberOf,
  newestRoot,
  startTrust,
  type TrustState,
} from "../../protocol/trust/index.ts";
import { bytesOf, expectBytes, expectSame, type Result, runCases, type VectorCase, type VectorFile } from "./vector-file.ts";

/** Roots, members and the revoked list, as a node takes them. */
export function check(file: VectorFile): Result[] {
  return runCases(file, runCase);
}

function runCase(vector: VectorCase): void {
  switch (vector["kind"]) {
    case "payload":
      return expectBytes(vector, "payload", encodedAgain(vector));
    case "chain":
      return expectSame(vector, "newest", newestRoot(stateOf(vector)).document.version);
    case "statements":
      return expectSame(vector, "serial", memberOf(stateOf(vector), bytesOf(vector, "ask")).serial);
    case "shown":
      return void checkMember(stateOf(vector), bytesOf(vector, "shows"));
    default:
      throw new Error(`kind ${String(vector["kind"])}`);
  }
}

function encodedAgain(vector: VectorCase): Uint8Array {
  const payload = bytesOf(vector, "payload");
  if (vector["type"] === "root") return encodeRoot(decodeRoot(payload));
  if (vector["type"] === "member") return encodeMember(decodeMember(payload));
  return encodeRevoked(decodeRevoked(payload));
}

function stateOf(vector: VectorCase): TrustState {
  const pin = { version: vector["pinVersion"] as number, id: bytesOf(vector, "pinId") };
  let state = startTrust(listOf(vector["start"]), pin);
  for (const list of vector["apply"] as unknown[]) state = applyStatements(state, listOf(list)).state;
  return state;
}

function listOf(list: unknown): Uint8Array[] {
  return (list as string[]).map((one) => new Uint8Array(Buffer.from(one, "hex")));
}
