import { sameBytes } from "../base/index.ts";
import type { TreeHead } from "./checkpoint.ts";
import { AuditError } from "./errors.ts";
import { maxProofHashes } from "./limits.ts";
import { hashLength, hashNode } from "./tree-hash.ts";

/** RFC 9162 section 2.1.3.2. Throws AUDIT_PROOF_INVALID where `leafHash` is not proven to stand at `index` under `head`. */
export function verifyInclusion(claim: {
  leafHash: Uint8Array;
  index: number;
  head: TreeHead;
  proof: readonly Uint8Array[];
}): void {
  const { leafHash, index, head, proof } = claim;
  checkShape(proof);
  if (index >= head.size) throw invalid("the leaf lies beyond the tree");
  let position = index;
  let last = head.size - 1;
  let hash = leafHash;
  for (const sibling of proof) {
    if (last === 0) throw invalid("too many hashes");
    if (odd(position) || position === last) {
      hash = hashNode(sibling, hash);
      while (!odd(position) && position !== 0) [position, last] = [half(position), half(last)];
    } else hash = hashNode(hash, sibling);
    [position, last] = [half(position), half(last)];
  }
  if (last !== 0 || !sameBytes(hash, head.root)) throw invalid("does not lead to the root");
}

/** RFC 9162 section 2.1.4.2. Throws AUDIT_PROOF_INVALID where `first` is not proven to be a beginning of `second`. */
export function verifyConsistency(first: TreeHead, second: TreeHead, proof: readonly Uint8Array[]): void {
  checkShape(proof);
  if (first.size > second.size) throw invalid("the newer tree is the smaller one");
  if (first.size === 0 || first.size === second.size) {
    if (proof.length > 0) throw invalid("too many hashes");
    if (first.size === second.size && !sameBytes(first.root, second.root)) throw invalid("two roots for one size");
    return;
  }
  const hashes = isPowerOfTwo(first.size) ? [first.root, ...proof] : proof;
  const [start, ...rest] = hashes;
  if (start === undefined) throw invalid("no hashes");
  let position = first.size - 1;
  let last = second.size - 1;
  while (odd(position)) [position, last] = [half(position), half(last)];
  let older = start;
  let newer = start;
  for (const hash of rest) {
    if (last === 0) throw invalid("too many hashes");
    if (odd(position) || position === last) {
      older = hashNode(hash, older);
      newer = hashNode(hash, newer);
      while (!odd(position) && position !== 0) [position, last] = [half(position), half(last)];
    } else newer = hashNode(newer, hash);
    [position, last] = [half(position), half(last)];
  }
  if (last !== 0 || !sameBytes(older, first.root) || !sameBytes(newer, second.root))
    throw invalid("does not lead to both roots");
}

function checkShape(proof: readonly Uint8Array[]): void {
  if (proof.length > maxProofHashes) throw invalid(`${proof.length} hashes`);
  if (proof.some((hash) => hash.length !== hashLength)) throw invalid("a hash that is not 32 bytes");
}

// Tree sizes go up to 2^53, beyond what the bit operators hold.
function odd(value: number): boolean {
  return value % 2 === 1;
}

function half(value: number): number {
  return Math.floor(value / 2);
}

function isPowerOfTwo(value: number): boolean {
  let rest = value;
  while (!odd(rest)) rest = half(rest);
  return rest === 1;
}

function invalid(why: string): AuditError {
  return new AuditError("AUDIT_PROOF_INVALID", why);
}
