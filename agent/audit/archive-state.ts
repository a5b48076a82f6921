import { decodeCheckpoint, tileWidth } from "../../protocol/audit/index.ts";
import { asTuple, asUint, decodeTcbor, encodeTcbor } from "../../protocol/base/index.ts";
import type { AuditWrite, Later } from "./storage.ts";

/** What of a log lies on media only. */
export interface ArchiveState {
  /** The first entry that the node holds itself: a multiple of 256. */
  readonly held: number;
  /** Up to which entry the rows are gone; below `held` where that is still under way. */
  readonly freed: number;
  /** Index of the leaf that says so: whoever misses the entries needs it. */
  readonly leaf: number;
}

/** Entries whose rows one transaction frees: a few megabytes, overwritten with zeros. */
export const freedPerCommit = 16 * tileWidth;

/** Reads the mark `archive`; null stands for a log that lies in the node as a whole. */
export function decodeArchiveState(bytes: Uint8Array | null): ArchiveState {
  if (bytes === null) return { held: 0, freed: 0, leaf: 0 };
  const [held, freed, leaf] = asTuple(decodeTcbor(bytes), "archive", 3);
  return { held: asUint(held, "held"), freed: asUint(freed, "freed"), leaf: asUint(leaf, "leaf") };
}

function encodeArchiveState({ held, freed, leaf }: ArchiveState): Uint8Array {
  return encodeTcbor([held, freed, leaf]);
}

/**
 * Notes that entries before `held` lie on a medium, as the leaf at `leaf` says, and keeps those of them that name keys. Of two archives at a
 * time the one that reaches further counts: what is gone does not come back.
 */
export function noteArchived(writing: AuditWrite, held: number, leaf: number): void {
  const before = decodeArchiveState(writing.mark("archive"));
  if (held <= before.held) return;
  for (let epoch = 1; ; epoch += 1) {
    const place = placeOfSuccession(writing.mark(`final/${epoch - 1}`), held);
    if (place === null) break;
    const [succession] = place < before.held ? [] : writing.leaves(place, 1);
    if (succession !== undefined) writing.putMark(`succession/${epoch}`, succession);
  }
  writing.putMark("archive", encodeArchiveState({ ...before, held, leaf }));
}

/** {@link noteArchived} over a store that answers later. */
export async function noteArchivedLater(writing: Later<AuditWrite>, held: number, leaf: number): Promise<void> {
  const before = decodeArchiveState(await writing.mark("archive"));
  if (held <= before.held) return;
  for (let epoch = 1; ; epoch += 1) {
    const place = placeOfSuccession(await writing.mark(`final/${epoch - 1}`), held);
    if (place === null) break;
    const [succession] = place < before.held ? [] : await writing.leaves(place, 1);
    if (succession !== undefined) await writing.putMark(`succession/${epoch}`, succession);
  }
  await writing.putMark("archive", encodeArchiveState({ ...before, held, leaf }));
}

/** Frees some of what was archived; false where nothing of it is left. */
export function freeSome(writing: AuditWrite): boolean {
  const state = decodeArchiveState(writing.mark("archive"));
  const { from, to, more } = nextToFree(state);
  if (from === to) return false;
  writing.free(from, to);
  writing.putMark("archive", encodeArchiveState({ ...state, freed: to }));
  return more;
}

/** {@link freeSome} over a store that answers later. */
export async function freeSomeLater(writing: Later<AuditWrite>): Promise<boolean> {
  const state = decodeArchiveState(await writing.mark("archive"));
  const { from, to, more } = nextToFree(state);
  if (from === to) return false;
  await writing.free(from, to);
  await writing.putMark("archive", encodeArchiveState({ ...state, freed: to }));
  return more;
}

function nextToFree({ held, freed }: ArchiveState): { from: number; to: number; more: boolean } {
  const to = Math.min(held, freed + freedPerCommit);
  return { from: freed, to, more: to < held };
}

/** Where the leaf stands that follows an epoch's final checkpoint; null where that is not before `held`. */
function placeOfSuccession(final: Uint8Array | null, held: number): number | null {
  if (final === null) return null;
  const { size } = decodeCheckpoint(final);
  return size < held ? size : null;
}
