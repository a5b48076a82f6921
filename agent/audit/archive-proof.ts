import { hash } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import { encodeEntryBundle, tileWidth } from "../../protocol/audit/index.ts";
import { concat } from "../../protocol/base/index.ts";

/** Bundles that are hashed before others have their turn. */
const bundlesAtATime = 16;

/**
 * What proves that somebody has read each of these entry bundles since `challenge` was drawn: SHA-256 over it and their SHA-256, in order.
 */
export function archiveProof(challenge: Uint8Array, bundleHashes: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(hash("sha256", concat(challenge, ...bundleHashes), "buffer"));
}

/** SHA-256 of each bundle of the entries from `from` to before `until`, multiples of 256, as the node holds them. */
export async function heldBundleHashes(
  leaves: (from: number, limit: number) => Uint8Array[] | Promise<Uint8Array[]>,
  from: number,
  until: number,
): Promise<Uint8Array[]> {
  const hashes: Uint8Array[] = [];
  for (let at = from; at < until; at += tileWidth) {
    hashes.push(new Uint8Array(hash("sha256", encodeEntryBundle(await leaves(at, tileWidth)), "buffer")));
    if (hashes.length % bundlesAtATime === 0) await turn();
  }
  return hashes;
}
