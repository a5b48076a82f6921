import {
  applyBody,
  type BodyForm,
  decodeBody,
  decodeEntry,
  decodeHeader,
  emptyDigest,
  encodeBody,
  encodeContext,
  encodeHeader,
  entryMap,
  openBundle,
  StreamError,
  startReceiver,
  stateDigest,
} from "../../protocol/bundle/index.ts";
import { sealingKeyFromSeed } from "../../protocol/keys/index.ts";
import { newestRoot, startTrust } from "../../protocol/trust/index.ts";
import { bytesOf, expectBytes, expectSame, type VectorCase } from "./vector-file.ts";

/** The digest of entries in any order. */
export function checkDigest(vector: VectorCase): void {
  expectBytes(vector, "digest", stateDigest(statesOf(vector, "entries")));
}

/** A header encodes to the same bytes again, and its context is as said. */
export function checkHeader(vector: VectorCase): void {
  const header = decodeHeader(bytesOf(vector, "payload"));
  expectBytes(vector, "payload", encodeHeader(header));
  expectBytes(vector, "context", encodeContext(header));
}

/** A body encodes to the same bytes again. */
export function checkBody(vector: VectorCase): void {
  const form = formOf(vector);
  expectBytes(vector, "plaintext", encodeBody(decodeBody(bytesOf(vector, "plaintext"), form), form));
}

/** A body makes the state said of the state held. */
export function checkApply(vector: VectorCase): void {
  const applied = applyBody(statesOf(vector, "held"), decodeBody(bytesOf(vector, "plaintext"), formOf(vector)));
  const due = stateDigest(statesOf(vector, "entries"));
  if (!Buffer.from(due).equals(applied.digest)) throw new Error("another state results");
}

/** A carrier opens to the plaintext said. */
export function checkOpen(vector: VectorCase): void {
  const trust = startTrust(listOf(vector["start"]), { version: vector["pinVersion"] as number, id: bytesOf(vector, "pinId") });
  const epoch = newestRoot(trust).document.vaultEpoch;
  const receiver = startReceiver({ epoch, rootVersion: 1, stateDigest: emptyDigest(), nonce: bytesOf(vector, "nonce") });
  const opened = openBundle(bytesOf(vector, "carrier"), {
    direction: formOf(vector).direction,
    trust,
    recipient: bytesOf(vector, "recipient"),
    receiver,
    sealingKeys: [sealingKeyFromSeed(bytesOf(vector, "sealingSeed"))],
  });
  const { judgement, body, header, id } = opened;
  if (judgement.verdict === "refuse") throw new StreamError(judgement.code, "refused by its stream");
  expectSame(vector, "verdict", judgement.verdict);
  if (vector["id"] !== undefined) expectBytes(vector, "id", id);
  if (body !== null) expectBytes(vector, "plaintext", encodeBody(body, header));
}

function formOf(vector: VectorCase): BodyForm {
  return {
    direction: vector["direction"] as BodyForm["direction"],
    kind: vector["kind"] === "open" ? 1 : (vector["form"] as BodyForm["kind"]),
  };
}

function statesOf(vector: VectorCase, field: string) {
  return entryMap(listOf(vector[field]).map(decodeEntry));
}

function listOf(list: unknown): Uint8Array[] {
  return (list as string[]).map((one) => new Uint8Array(Buffer.from(one, "hex")));
}
