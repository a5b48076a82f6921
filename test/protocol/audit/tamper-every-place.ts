import {
  decodeLeaf,
  emptyTree,
  encodeLeaf,
  foldHashes,
  hashLeaf,
  rootOf,
  sequence,
  verifyLog,
} from "../../../protocol/audit/index.ts";
import { editedLeaf, epochKeys, eventAt, inputOf, leafAt, type SampleLog, sampleLog, sealed } from "./sample-log.ts";

/** What one class of tampering came to: how often it was tried, and where it was not named as it must be. */
export interface TamperCount {
  tried: number;
  readonly wrong: string[];
}

const size = 1000;
/** Epoch 1 is empty but for its succession. */
const epochs = [400, 401, 700];
const anchors = [100, 250, 500, 900];

/** Tampers with a log of 1,000 entries at every `stride`-th place, in every class, and tells what the verifier said wrongly. */
export function tamperEverywhere(stride: number): Map<string, TamperCount> {
  const honest = sampleLog({ size, epochs, anchors });
  const other = otherHistory(honest);
  const counts = new Map<string, TamperCount>();
  const expect = (name: string, log: SampleLog, findings: readonly string[]): void => {
    const count = counts.get(name) ?? { tried: 0, wrong: [] };
    counts.set(name, count);
    count.tried += 1;
    const found = verifyLog(inputOf(log)).findings.map(({ code, index }) => `${code} ${index}`);
    if (found.join() !== findings.join()) count.wrong.push(`${findings.join()}: ${found.join() || "nothing"}`);
  };
  const last = size - 1;
  const places = Array.from({ length: size }, (_, index) => index).filter((index) => index % stride === 0 || index === last);
  expect("honest", honest, []);
  for (const index of places) {
    const at = (place: number) => honest.leaves[place] as Uint8Array;
    const withLeaves = (leaves: Uint8Array[]): SampleLog => ({ ...honest, leaves });
    expect("edited", withLeaves(honest.leaves.with(index, editedLeaf(index))), [`EDIT ${index}`]);
    expect("deleted", withLeaves(honest.leaves.toSpliced(index, 1)), [
      index === last ? `TRUNCATED ${last}` : `DELETE ${index}`,
    ]);
    expect("inserted", withLeaves(honest.leaves.toSpliced(index, 0, at(index))), [`EDIT ${index + 1}`]);
    const partner = index < last ? index + 1 : 0;
    const [low, high] = [Math.min(index, partner), Math.max(index, partner)];
    expect("swapped", withLeaves(honest.leaves.with(low, at(high)).with(high, at(low))), [`REORDER ${low}`]);
    expect("cut", withLeaves(honest.leaves.slice(0, index)), [`TRUNCATED ${index}`]);
    for (const [name, log] of rewritten(honest, other, index))
      expect(name, log, [`FORK ${below([0, ...epochs, ...anchors], index)}`]);
  }
  for (const cut of [...anchors, ...epochs]) {
    const [kept] = sampleLog({ size, epochs, anchors: [size] }).anchors;
    const log = sampleLog({ size: cut, epochs: epochs.filter((from) => from < cut) });
    expect("cut to an older head and sealed", { ...log, anchors: kept === undefined ? [] : [kept] }, [`TRUNCATED ${cut}`]);
  }
  keyClasses(honest, places, expect);
  return counts;
}

/** Another history of the same length, with the successions of the honest one. */
function otherHistory(honest: SampleLog): Pick<SampleLog, "leaves" | "hashes"> {
  const leaves = honest.leaves.map((leaf, index) =>
    epochs.includes(index) ? leaf : encodeLeaf(leafAt(index, eventAt(index, "other"))),
  );
  return { leaves, hashes: leaves.map(hashLeaf) };
}

/** The history from `from` on written anew and sealed with the key of the newest epoch: an anchor or a final checkpoint tells. */
function rewritten(honest: SampleLog, other: Pick<SampleLog, "leaves" | "hashes">, from: number): [string, SampleLog][] {
  // What nobody else has seen can be written anew by who holds the node; and a succession that is written over is a matter of keys.
  if (from >= 900 || epochs.includes(from)) return [];
  const leaves = [...honest.leaves.slice(0, from), ...other.leaves.slice(from)];
  const hashes = [...honest.hashes.slice(0, from), ...other.hashes.slice(from)];
  const newest = sealed({ size, root: foldHashes(hashes) }, epochs.length);
  const checkpoints = [...honest.checkpoints.slice(0, epochs.length), newest];
  return [["forked", { ...honest, leaves, hashes, checkpoints }]];
}

/** Epochs removed, and checkpoints by keys of other epochs, at every place where a checkpoint can stand. */
function keyClasses(
  honest: SampleLog,
  places: readonly number[],
  expect: (name: string, log: SampleLog, findings: readonly string[]) => void,
): void {
  const finals = honest.checkpoints.slice(0, epochs.length);
  const trees = treesOf(honest.leaves);
  const seal = (length: number, epoch: number) => sealed({ size: length, root: trees[length] as Uint8Array }, epoch);
  for (const [ended, from] of epochs.entries()) {
    const checkpoints = honest.checkpoints.filter((_, at) => at !== ended);
    expect("a final checkpoint removed", { ...honest, anchors: [], checkpoints }, [`EPOCH-GAP ${from}`]);
  }
  const moved = honest.leaves.toSpliced(400, 1).map((bytes, index) => encodeLeaf({ ...decodeLeaf(bytes), index }));
  const newest = sealed({ size: moved.length, root: rootOf(sequence(emptyTree, moved).state) }, 3);
  const without = {
    ...honest,
    leaves: moved,
    hashes: moved.map(hashLeaf),
    anchors: [],
    checkpoints: [finals[0] as Uint8Array, newest],
  };
  // The succession of epoch 3 names the place where it stood before.
  expect("an empty epoch removed", without, ["EPOCH-GAP 400", "KEY-EPOCH 699"]);
  for (const index of places.filter((place) => place > 0)) {
    const proper = epochs.filter((from) => from < index).length;
    const later = proper + 1;
    if (later >= epochKeys.length) continue;
    const ended = epochs.filter((from) => from < index);
    const log: SampleLog = {
      leaves: honest.leaves.slice(0, index),
      hashes: honest.hashes.slice(0, index),
      anchors: [],
      checkpoints: [...finals.slice(0, ended.length), seal(index, later)],
    };
    // The next key is introduced by no entry that is left: that is a gap.
    const sealedTo = Math.max(0, ...ended);
    expect("resealed with a later key", log, [`UNSEALED-TAIL ${sealedTo}`, `EPOCH-GAP ${index}`].toSorted(byIndex));
  }
}

/** Findings come by index, and for one index the graver first. */
function byIndex(a: string, b: string): number {
  const index = (finding: string) => Number(finding.split(" ")[1]);
  return index(a) - index(b) || (a.startsWith("EPOCH") ? -1 : 1);
}

function treesOf(leaves: readonly Uint8Array[]): Uint8Array[] {
  let tree = emptyTree;
  const roots = [rootOf(tree)];
  for (const leaf of leaves) {
    tree = sequence(tree, [leaf]).state;
    roots.push(rootOf(tree));
  }
  return roots;
}

/** Highest of `heads` that is at most `index`. */
function below(heads: readonly number[], index: number): number {
  return Math.max(...heads.filter((head) => head <= index));
}
