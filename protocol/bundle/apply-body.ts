import { sameBytes } from "../base/index.ts";
import type { BundleBody } from "./body.ts";
import { type Entry, entryKey } from "./entry.ts";
import { BundleError } from "./errors.ts";
import { bundleLimits } from "./limits.ts";
import { type EntryMap, stateDigest } from "./state-digest.ts";
import { compareIndex } from "./version-index.ts";

/** What a body makes of a state; nothing of it is stored yet. */
export interface AppliedBody {
  readonly entries: EntryMap;
  /** Digest of `entries`, for the receiver's next delta. */
  readonly digest: Uint8Array;
  /** Entries that are new or have other bytes than before. */
  readonly put: readonly Entry[];
  /** Entries that were held and are no more. */
  readonly removed: readonly Entry[];
}

/**
 * Applies a body to the state held, all or nothing. A delta must be made for exactly this state and never puts an older version over
 * a newer one; a snapshot replaces. Throws BUNDLE_BASE_MISMATCH, BUNDLE_ENTRY_OLDER, BUNDLE_TOO_MANY_ENTRIES, BUNDLE_RESULT_MISMATCH.
 */
export function applyBody(held: EntryMap, body: BundleBody): AppliedBody {
  const delta = body.baseDigest !== null;
  if (body.baseDigest !== null && !sameBytes(stateDigest(held), body.baseDigest))
    throw new BundleError("BUNDLE_BASE_MISMATCH", "delta for another state than the one held");
  const entries = new Map(delta ? held : []);
  const put: Entry[] = [];
  for (const entry of body.entries) {
    const before = held.get(entry.key);
    if (delta && before !== undefined && compareIndex(entry.index, before.index) < 0)
      throw new BundleError("BUNDLE_ENTRY_OLDER", `entry of type ${entry.type} older than the one held`);
    if (before === undefined || !sameBytes(before.bytes, entry.bytes)) put.push(entry);
    entries.set(entry.key, entry);
  }
  for (const ref of body.removed) entries.delete(entryKey(ref));
  if (entries.size > bundleLimits.entries)
    throw new BundleError("BUNDLE_TOO_MANY_ENTRIES", `${entries.size} entries, at most ${bundleLimits.entries}`);
  const digest = stateDigest(entries);
  if (!sameBytes(digest, body.resultDigest))
    throw new BundleError("BUNDLE_RESULT_MISMATCH", "the resulting state is not the one that was meant");
  const removed = [...held.values()].filter((entry) => !entries.has(entry.key));
  return { entries, digest, put, removed };
}
