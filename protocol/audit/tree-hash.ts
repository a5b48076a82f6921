import { assert, sha256, sha256Text } from "../base/index.ts";
import { maxLeafBytes, tileWidth } from "./limits.ts";

/** Bytes of a SHA-256 hash. */
export const hashLength = 32;

// RFC 6962 section 2.1 prefixes; the scratch spares an allocation a leaf.
const leafScratch = Buffer.alloc(1 + maxLeafBytes);
const nodeScratch = Buffer.alloc(1 + 2 * hashLength, 1);
const tileScratch = Buffer.alloc(tileWidth * hashLength);

/** RFC 6962 leaf hash: SHA-256(00 ‖ leaf). Takes any bytes up to the limit of a leaf. */
export function hashLeaf(leaf: Uint8Array): Uint8Array {
  return Buffer.from(digestOfLeaf(leaf), "latin1");
}

/** {@link hashLeaf}, written into `target` at `at`. */
export function hashLeafInto(target: Buffer, at: number, leaf: Uint8Array): void {
  target.write(digestOfLeaf(leaf), at, hashLength, "latin1");
}

function digestOfLeaf(leaf: Uint8Array): string {
  assert(leaf.length <= maxLeafBytes, "a leaf longer than its limit");
  leafScratch.set(leaf, 1);
  return sha256Text(leafScratch.subarray(0, 1 + leaf.length));
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

/** Root of the complete subtree over 1, 2, 4 … 256 hashes that stand one after another; writes over nothing. */
export function foldSubtree(hashes: Uint8Array): Uint8Array {
  tileScratch.set(hashes);
  for (let count = hashes.length / hashLength; count > 1; count /= 2) {
    for (let pair = 0; pair < count / 2; pair += 1) {
      const from = 2 * pair * hashLength;
      tileScratch.copy(nodeScratch, 1, from, from + 2 * hashLength);
      tileScratch.write(sha256Text(nodeScratch), pair * hashLength, hashLength, "latin1");
    }
  }
  return new Uint8Array(tileScratch.subarray(0, hashLength));
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
