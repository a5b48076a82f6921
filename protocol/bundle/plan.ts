import { type Random, sameBytes } from "../base/index.ts";
import { type BundleBody, emptyBody } from "./body.ts";
import { type AuthorityWindow, type Entry, type EntryFields, entryKey, makeEntry } from "./entry.ts";
import { BundleError } from "./errors.ts";
import { bundleLimits } from "./limits.ts";
import { type EntryMap, stateDigest } from "./state-digest.ts";
import { compareIndex } from "./version-index.ts";

/** An entry as the vault wants it at the recipient; the plan gives it its salt. */
export type DesiredEntry = Omit<EntryFields, "salt">;

/** A body to issue, and the state that the recipient then has: the next plan's `exported`. */
export interface Plan {
  readonly body: BundleBody;
  readonly entries: EntryMap;
}

interface PlanOptions {
  /** The state after the last issued item, whether acknowledged or not. */
  readonly exported: EntryMap;
  /** Everything that the recipient shall have; no key twice. */
  readonly desired: Iterable<DesiredEntry>;
  readonly random: Random;
}

/**
 * The smallest delta from the exported to the desired state, or null where they say the same. Unchanged entries keep their salt, so
 * their bytes. Throws BUNDLE_TOO_MANY_ENTRIES, BUNDLE_ENTRY_TOO_LARGE.
 */
export function planDelta(options: PlanOptions): Plan | null {
  const { exported } = options;
  const entries = planState(options);
  const put = sorted([...entries.values()].filter((entry) => exported.get(entry.key) !== entry));
  const removed = sorted([...exported.values()].filter((entry) => !entries.has(entry.key)));
  if (put.length === 0 && removed.length === 0) return null;
  const refs = removed.map(({ type, id }) => ({ type, id }));
  return { entries, body: { ...emptyBody(stateDigest(entries), stateDigest(exported)), entries: put, removed: refs } };
}

/** The whole desired state as a snapshot. Throws as {@link planDelta}. */
export function planSnapshot(options: PlanOptions): Plan {
  const entries = planState(options);
  return { entries, body: { ...emptyBody(stateDigest(entries), null), entries: sorted([...entries.values()]) } };
}

function planState({ exported, desired, random }: PlanOptions): EntryMap {
  const entries = new Map<string, Entry>();
  for (const wanted of desired) {
    // What stays as it was sent is the very entry: of thousands all but a few.
    const kept = "key" in wanted ? exported.get((wanted as Entry).key) : undefined;
    if (kept !== undefined && kept === wanted) {
      entries.set(kept.key, kept);
      continue;
    }
    const key = entryKey(wanted);
    const before = exported.get(key);
    entries.set(key, before !== undefined && saysSame(before, wanted) ? before : makeEntry({ ...wanted, salt: random(16) }));
  }
  if (entries.size <= bundleLimits.entries) return entries;
  throw new BundleError("BUNDLE_TOO_MANY_ENTRIES", `${entries.size} entries, at most ${bundleLimits.entries}`);
}

/** Same in all but salt. */
function saysSame(entry: Entry, wanted: DesiredEntry): boolean {
  return (
    compareIndex(entry.index, wanted.index) === 0 &&
    sameWindow(entry.authority, wanted.authority) &&
    sameBytes(entry.payload, wanted.payload)
  );
}

function sameWindow(a: AuthorityWindow | null, b: AuthorityWindow | null): boolean {
  return a === null || b === null ? a === b : a.notBefore === b.notBefore && a.notAfter === b.notAfter;
}

function sorted(entries: Entry[]): Entry[] {
  return entries.sort((a, b) => (a.key < b.key ? -1 : 1));
}
