import { hash } from "node:crypto";
import { assert } from "../base/index.ts";
import { maxLeafBytes } from "./limits.ts";

/** Bytes of a SHA-256 hash. */
export const hashLength = 32;

// RFC 6962 section 2.1 prefixes; the scratch spares an allocation a leaf.
const leafScratch = Buffer.alloc(1 + maxLeafBytes);
const nodeScratch = Buffer.alloc(1 + 2 * hashLength, 1);

/** RFC 6962 leaf hash: SHA-256(00 ‖ leaf). Takes any bytes up to the limit of a leaf. */
export function hashLeaf(leaf: Uint8Array): Uint8Array {
  assert(leaf.length <= maxLeafBytes, "a leaf longer than its limit");
  leafScratch.set(leaf, 1);
  return sha256(leafScratch.subarray(0, 1 + leaf.length));
}

/** RFC 6962 node hash: SHA-256(01 ‖ left ‖ right). */
export function hashNode(left: Uint8Array, right: Uint8Array): Uint8Array {
  nodeScratch.set(left, 1);
  nodeScratch.set(right, 1 + hashLength);
  return sha256(nodeScratch);
}

/** Root of a tree without leaves: SHA-256 of nothing. */
export function emptyRoot(): Uint8Array {
  return sha256(new Uint8Array(0));
}

/** Through a string: an output buffer of its own makes Node's one-shot hash take twice the time. */
function sha256(bytes: Uint8Array): Uint8Array {
  return Buffer.from(hash("sha256", bytes, "binary"), "binary");
}

/**
 * Merkle tree hash over `hashes`, taken as the hashes of subtrees of one height of which only the last may be incomplete;
 * RFC 6962 section 2.1 splits both ways alike.
 */
export function foldHashes(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length === 0) return emptyRoot();
  let row: readonly Uint8Array[] = hashes;
  while (row.length > 1) {
    const next: Uint8Array[] = [];
    for (let i = 0; i < row.length; i += 2) {
      const left = row[i] as Uint8Array;
      const right = row[i + 1];
      next.push(right === undefined ? left : hashNode(left, right));
    }
    row = next;
  }
  return row[0] as Uint8Array;
}
