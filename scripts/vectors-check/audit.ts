import {
  buildProof,
  decodeCheckpoint,
  decodeEntryBundle,
  decodeLeaf,
  emptyTree,
  encodeLeaf,
  hashLeaf,
  parseTilePath,
  planConsistency,
  planInclusion,
  rootOf,
  sequence,
  verifyConsistency,
  verifyCosignature,
  verifyInclusion,
  verifyLog,
  verifyNote,
} from "../../protocol/audit/index.ts";
import { concat, fromHex, toHex } from "../../protocol/base/index.ts";
import { importVerifyKey } from "../../protocol/keys/index.ts";
import { bytesOf, expectBytes, type Result, runCases, type VectorCase, type VectorFile } from "./vector-file.ts";

/** Leaves, trees, proofs, tiles, checkpoints and whole logs. */
export function check(file: VectorFile): Result[] {
  return runCases(file, runCase);
}

function runCase(vector: VectorCase): void {
  switch (vector["kind"]) {
    case "leaf":
      return checkLeaf(vector);
    case "tree":
      return expectBytes(vector, "root", rootOf(sequence(emptyTree, hexList(vector, "leaves")).state));
    case "inclusion":
      return checkInclusion(vector);
    case "consistency":
      return checkConsistency(vector);
    case "tile path":
      return equal("place", parseTilePath(text(vector, "path")), vector["place"]);
    case "entry bundle":
      return equal("leaves", decodeEntryBundle(bytesOf(vector, "bytes")).map(toHex), vector["leaves"] ?? []);
    case "checkpoint":
      return checkCheckpoint(vector);
    case "cosignature":
      return checkCosignature(vector);
    case "log":
      return checkLog(vector);
    default:
      throw new Error(`kind ${String(vector["kind"])}`);
  }
}

function checkLeaf(vector: VectorCase): void {
  const bytes = latin1(text(vector, "text"));
  const leaf = decodeLeaf(bytes);
  if (Buffer.compare(encodeLeaf(leaf), bytes) !== 0) throw new Error("re-encodes to other bytes");
  expectBytes(vector, "hash", hashLeaf(bytes));
}

/** The proof is verified, and where the leaves are given it must also be the one that they lead to. */
function checkInclusion(vector: VectorCase): void {
  const [index, size] = [number(vector, "index"), number(vector, "size")];
  const proof = hexList(vector, "proof");
  verifyInclusion({ leafHash: bytesOf(vector, "leafHash"), index, head: { size, root: bytesOf(vector, "root") }, proof });
  if (vector["leaves"] !== undefined)
    equal("proof", buildProof(planInclusion(index, size), tilesOf(vector)).map(toHex), vector["proof"]);
}

function checkConsistency(vector: VectorCase): void {
  const [first, second] = [number(vector, "first"), number(vector, "second")];
  const proof = hexList(vector, "proof");
  verifyConsistency(
    { size: first, root: bytesOf(vector, "firstRoot") },
    { size: second, root: bytesOf(vector, "secondRoot") },
    proof,
  );
  if (vector["leaves"] !== undefined)
    equal("proof", buildProof(planConsistency(first, second), tilesOf(vector)).map(toHex), vector["proof"]);
}

/** Vectors of proofs have at most 256 leaves: one tile. */
function tilesOf(vector: VectorCase): () => Uint8Array {
  const tile = concat(...hexList(vector, "leaves").map(hashLeaf));
  return () => tile;
}

function checkCheckpoint(vector: VectorCase): void {
  const checkpoint = decodeCheckpoint(Buffer.from(text(vector, "text")));
  for (const { name, publicKey } of vector["signers"] as { name: string; publicKey: string }[]) {
    const key = importVerifyKey(fromHex(publicKey) ?? new Uint8Array(0));
    if (!verifyNote(checkpoint.note, { name, key })) throw new Error(`${name} has not signed`);
  }
  equal("origin", [checkpoint.origin, checkpoint.size], [vector["origin"], vector["size"]]);
  expectBytes(vector, "root", checkpoint.root);
}

function checkCosignature(vector: VectorCase): void {
  const { note } = decodeCheckpoint(Buffer.from(text(vector, "text")));
  const key = importVerifyKey(fromHex(text(vector, "key")) ?? new Uint8Array(0));
  equal("time", verifyCosignature(note, { name: text(vector, "witness"), key }), vector["time"]);
}

function checkLog(vector: VectorCase): void {
  const member = vector["member"] as { trustDomain: string; node: string; logKey: string; epochKey: string };
  const key = (hex: string) => importVerifyKey(fromHex(hex) ?? new Uint8Array(0));
  const verdict = verifyLog({
    leaves: texts(vector, "leaves").map(latin1),
    hashes: bytesOf(vector, "hashes"),
    before: beforeOf(vector),
    checkpoints: texts(vector, "checkpoints").map((note) => Buffer.from(note)),
    member: { ...member, logKey: key(member.logKey), epochKey: key(member.epochKey) },
    anchors: (vector["anchors"] as { origin: string; size: number; root: string }[]).map(({ origin, size, root }) => ({
      origin,
      size,
      root: fromHex(root) ?? new Uint8Array(0),
      source: "the anchor",
    })),
  });
  equal(
    "findings",
    verdict.findings.map(({ code, index }) => [code, index]),
    vector["findings"],
  );
  equal("sealedSize", verdict.sealedSize, vector["sealedSize"]);
}

/** What a copy that begins later says of the entries before; absent where it begins at 0. */
function beforeOf(vector: VectorCase): { count: number; successions: Uint8Array[] } | null {
  const before = vector["before"] as { count: number; successions: string[] } | undefined;
  return before === undefined ? null : { count: before.count, successions: before.successions.map(latin1) };
}

function equal(what: string, actual: unknown, expected: unknown): void {
  const [found, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (found !== wanted) throw new Error(`${what} is ${found}, not ${wanted}`);
}

function latin1(value: string): Uint8Array {
  return Buffer.from(value, "latin1");
}

function text(vector: VectorCase, field: string): string {
  return String(vector[field]);
}

function texts(vector: VectorCase, field: string): string[] {
  return vector[field] as string[];
}

function number(vector: VectorCase, field: string): number {
  return Number(vector[field]);
}

function hexList(vector: VectorCase, field: string): Uint8Array[] {
  return texts(vector, field).map((hex) => fromHex(hex) ?? new Uint8Array(0));
}
