import { Sha256Lanes } from "../base/index.ts";
import { hashLeaf, hashLength, hashNode } from "./tree-hash.ts";

/** Fewer are hashed one by one. */
const fewestTogether = 4;

// RFC 6962 section 2.1.
const [leafPrefix, nodePrefix] = [0, 1];

/** Made for the first who has many: a node that starts has few. Null where the runtime has no such hash. */
let lanes: Sha256Lanes | null | undefined;

/** RFC 6962 leaf hashes of at most 256 `leaves`, one after another. What a log writes is hashed so, what a verifier reads never. */
export function hashLeaves(leaves: readonly Uint8Array[]): Uint8Array {
  const together = leaves.length < fewestTogether ? null : lanesOfRuntime();
  return together?.hashEach(leafPrefix, leaves) ?? joined(leaves.map(hashLeaf));
}

/** RFC 6962 hashes of the nodes over at most 128 pairs of hashes that stand one after another; one without a partner is left out. */
export function hashPairs(hashes: Uint8Array): Uint8Array {
  const pairBytes = 2 * hashLength;
  const count = Math.floor(hashes.length / pairBytes);
  const together = count < fewestTogether ? null : lanesOfRuntime();
  if (together !== null) return together.hashPairs(nodePrefix, hashes.subarray(0, count * pairBytes));
  const halfAt = (half: number) => hashes.subarray(half * hashLength, (half + 1) * hashLength);
  return joined(Array.from({ length: count }, (_, at) => hashNode(halfAt(2 * at), halfAt(2 * at + 1))));
}

function lanesOfRuntime(): Sha256Lanes | null {
  if (lanes === undefined) lanes = Sha256Lanes.ofRuntime();
  return lanes;
}

function joined(hashes: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(hashes.length * hashLength);
  for (const [at, hash] of hashes.entries()) all.set(hash, at * hashLength);
  return all;
}
