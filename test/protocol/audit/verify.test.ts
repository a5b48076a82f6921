import t from "tap";
import { decodeLeaf, encodeLeaf, type Finding, type Verdict, verifyLog } from "../../../protocol/audit/index.ts";
import { editedLeaf, eventAt, inputOf, leafAt, reseal, type SampleLog, sampleLog, sealed, successionAt } from "./sample-log.ts";

const size = 24;
/** Epoch 1 is empty but for its succession. */
const epochs = [9, 10, 17];
const anchors = [6, 12, 20];
const honest = sampleLog({ size, epochs, anchors });
const positions = Array.from({ length: size }, (_, index) => index);

function found(log: SampleLog): string[] {
  return short(verifyLog(inputOf(log)));
}

function short(verdict: Verdict): string[] {
  return verdict.findings.map(({ code, index }: Finding) => `${code} ${index}`);
}

function withLeaves(log: SampleLog, leaves: Uint8Array[]): SampleLog {
  return { ...log, leaves };
}

/** Highest of `heads` that is at most `index`. */
function below(heads: readonly number[], index: number): number {
  return Math.max(0, ...heads.filter((head) => head <= index));
}

t.test("an honest log has no finding, whatever its size and epochs", async (t) => {
  for (let length = 1; length <= size; length += 1) {
    for (const starts of [[], [9], epochs, [0 + 1, 2, 3]]) {
      const log = sampleLog({
        size: length,
        epochs: starts.filter((from) => from < length),
        anchors: anchors.filter((at) => at <= length),
      });
      const verdict = verifyLog(inputOf(log));
      t.same(
        [verdict.findings, verdict.sealedSize, verdict.size],
        [[], length, length],
        `${length} entries, epochs at ${starts}`,
      );
    }
  }
});

t.test("an honest crash tail is unsealed and nothing else", async (t) => {
  for (const sealedSize of positions.slice(18)) {
    const log = sampleLog({ size, epochs, checkpoints: [sealedSize], anchors: [6, 12] });
    const verdict = verifyLog(inputOf(log));
    t.same([short(verdict), verdict.sealedSize], [[`UNSEALED-TAIL ${sealedSize}`], sealedSize]);
  }
  const anchored = verifyLog(inputOf(sampleLog({ size, epochs, checkpoints: [18], anchors: [size] })));
  t.same([anchored.findings, anchored.sealedSize], [[], size], "an anchor seals too");
  const bare = sampleLog({ size, checkpoints: [] });
  t.same(found(bare), ["UNSEALED-TAIL 0"], "a log without any checkpoint");
});

t.test("each tampering at each position is named, with the hash tiles and without", async (t) => {
  const bare: SampleLog = { ...honest, hashes: [] };
  const last = size - 1;
  for (const index of positions) {
    const edited = honest.leaves.with(index, editedLeaf(index));
    const garbled = honest.leaves.with(index, Buffer.from("not a leaf"));
    const deleted = honest.leaves.toSpliced(index, 1);
    const doubled = honest.leaves.toSpliced(index, 0, honest.leaves[index] as Uint8Array);
    const swapped = honest.leaves.toSpliced(index, 2, ...honest.leaves.slice(index, index + 2).reverse());
    t.same(found(withLeaves(honest, edited)), [`EDIT ${index}`], `entry ${index} edited`);
    t.same(
      found(withLeaves(bare, edited)),
      [`EDIT ${below([0, 6, 9, 10, 12, 17, 20], index)}`],
      `edited ${index}, no tiles: known to the nearest head`,
    );
    for (const log of [honest, bare]) {
      t.same(found(withLeaves(log, garbled)), [`EDIT ${index}`], `entry ${index} made unreadable`);
      t.same(
        found(withLeaves(log, deleted)),
        [index === last ? `TRUNCATED ${last}` : `DELETE ${index}`],
        `entry ${index} deleted`,
      );
      t.same(found(withLeaves(log, doubled)), [`EDIT ${index + 1}`], `entry ${index} doubled`);
      if (index < last)
        t.same(found(withLeaves(log, swapped)), [`REORDER ${index}`], `entries ${index} and ${index + 1} swapped`);
      if (index > 0) t.same(found(withLeaves(log, honest.leaves.slice(0, index))), [`TRUNCATED ${index}`], `cut to ${index}`);
    }
  }
});

t.test("a log cut back to an older checkpoint is seen by each anchor", async (t) => {
  for (const anchor of [6, 12, 20, size]) {
    for (const cut of positions.slice(1).filter((index) => index < anchor)) {
      const log = sampleLog({ size: cut, epochs: epochs.filter((from) => from < cut) });
      t.same(found(log), [], "alone it looks whole");
      const [kept] = sampleLog({ size, epochs, anchors: [anchor] }).anchors;
      t.same(
        found({ ...log, anchors: kept === undefined ? [] : [kept] }),
        [`TRUNCATED ${cut}`],
        `cut to ${cut}, anchor of ${anchor}`,
      );
    }
  }
});

t.test("a history that was rewritten and resealed with the node's own keys is a fork", async (t) => {
  for (const from of positions) {
    const other = sampleLog({ size, anchors: [], forkedFrom: from });
    const plain = sampleLog({ size, anchors });
    const forkedBelow = anchors.some((anchor) => anchor > from);
    const expected = forkedBelow ? [`FORK ${below([0, ...anchors], from)}`] : [];
    t.same(found({ ...other, anchors: plain.anchors }), expected, `rewritten from ${from}`);
  }
  for (const from of positions.filter((index) => index < 17 && !epochs.includes(index))) {
    // The final checkpoints of ended epochs cannot be signed anew: they are anchors in the log's own folder.
    const other = sampleLog({ size, epochs, forkedFrom: from });
    const finals = honest.checkpoints.slice(0, epochs.length);
    const log = { ...other, checkpoints: [...finals, other.checkpoints.at(-1) as Uint8Array] };
    t.same(found(log), [`FORK ${below([0, ...epochs], from)}`], `rewritten from ${from} with the newest epoch's key`);
  }
  const twice = { ...honest, checkpoints: [...honest.checkpoints, reseal(honest.leaves.with(23, editedLeaf(23)), 3)] };
  t.same(found(twice), ["FORK 20"], "two checkpoints of one size");
});

t.test("an anchor tells which log it is where every checkpoint was taken away", async (t) => {
  const bare: SampleLog = { ...sampleLog({ size, epochs, anchors: [size] }), checkpoints: [] };
  const ended = epochs.map((from) => `EPOCH-GAP ${from}`);
  t.same(found(bare), ended, "nobody but the keys of ended epochs could have signed their final checkpoints");
  t.same(found({ ...bare, hashes: [] }), ended);
  const other = encodeLeaf({ ...leafAt(6, eventAt(6)), log: 1 });
  const tail: SampleLog = { ...sampleLog({ size: 6, checkpoints: [], anchors: [6] }), hashes: [] };
  t.same(found(withLeaves(tail, [...tail.leaves, encodeLeaf(leafAt(6, eventAt(6)))])), ["UNSEALED-TAIL 6"]);
  t.same(found(withLeaves(tail, [...tail.leaves, other])), ["EDIT 6"], "a leaf of another serial behind the anchor");
  const foreign = honest.anchors.map((anchor) => ({ ...anchor, origin: anchor.origin.replace(/0$/, "1") }));
  t.match(found({ ...honest, anchors: foreign }), /KEY-EPOCH 0/, "and which checkpoints are not of it");
});

t.test("strangers without a missing index are told at the indices behind the log, one after another", async (t) => {
  const log = sampleLog({ size: 8, anchors: [] });
  const garbled = Array.from({ length: 10 }, (_, index) => Buffer.from(`not a leaf ${index}`));
  t.same(
    found(withLeaves(log, garbled)),
    garbled.map((_, index) => `EDIT ${index}`),
  );
});

t.test("edited entries with recomputed tiles are known to the nearest head that still fits", async (t) => {
  for (const index of positions) {
    const leaves = honest.leaves.with(index, editedLeaf(index));
    const { hashes } = sampleLog({ size, epochs });
    const log = { ...honest, leaves, hashes: hashes.with(index, new Uint8Array(32)) };
    t.same(found(log), [`EDIT ${below([0, 6, 9, 10, 12, 17, 20], index)}`], `entry ${index}`);
  }
});

t.test("epochs that are missing, and keys of the wrong epoch, are named", async (t) => {
  const newest = (checkpoint: Uint8Array): SampleLog => ({
    ...honest,
    anchors: [],
    checkpoints: [...honest.checkpoints.slice(0, 3), checkpoint],
  });
  const moved = honest.leaves.toSpliced(9, 1).map((bytes, index) => encodeLeaf({ ...decodeLeaf(bytes), index }));
  t.match(found({ ...newest(reseal(moved, 3)), leaves: moved, hashes: [] }), ["EPOCH-GAP 9"], "the empty epoch 1 removed");
  t.same(
    found({ ...honest, checkpoints: honest.checkpoints.slice(1) }),
    ["EPOCH-GAP 9"],
    "the final checkpoint of epoch 0 removed",
  );
  for (const [epoch, code] of [
    [0, "KEY-EPOCH"],
    [2, "KEY-EPOCH"],
  ] as const) {
    t.same(
      found(newest(reseal(honest.leaves, epoch))),
      ["UNSEALED-TAIL 17", `${code} ${size}`],
      `resealed with the key of epoch ${epoch}`,
    );
  }
  t.same(
    found(newest(reseal(honest.leaves, 3, 12))),
    ["KEY-EPOCH 12", "UNSEALED-TAIL 17"],
    "an old size resealed with a later key",
  );
  const cut = {
    ...newest(reseal(honest.leaves, 3, 16)),
    leaves: honest.leaves.slice(0, 16),
    checkpoints: [...honest.checkpoints.slice(0, 2), reseal(honest.leaves, 3, 16)],
  };
  t.same(found(cut), ["UNSEALED-TAIL 10", "EPOCH-GAP 16"], "cut before the succession and resealed with a later key");
  const forged = honest.leaves.with(
    9,
    encodeLeaf({ ...leafAt(9, successionAt(9, 1)), details: { ...successionAt(9, 2).details } as Record<string, number> }),
  );
  t.ok(
    found({ ...newest(reseal(forged, 3)), leaves: forged, hashes: [] }).includes("EPOCH-GAP 9"),
    "a succession to the epoch after next",
  );
  const wrongPlace = honest.leaves.with(9, encodeLeaf(leafAt(9, successionAt(8, 1))));
  t.ok(
    found({ ...newest(reseal(wrongPlace, 3)), leaves: wrongPlace, hashes: [] }).includes("KEY-EPOCH 9"),
    "a succession signed for another place",
  );
  const empty = honest.leaves.with(9, encodeLeaf({ ...leafAt(9, successionAt(9, 1)), details: { epoch: 1 } }));
  t.ok(found({ ...newest(reseal(empty, 3)), leaves: empty, hashes: [] }).includes("KEY-EPOCH 9"), "a succession without a key");
});

t.test("a checkpoint that cannot be believed seals nothing", async (t) => {
  const good = sampleLog({ size: 6 });
  const [note] = good.checkpoints as [Uint8Array];
  const text = Buffer.from(note).toString();
  const wrong: Record<string, Uint8Array> = {
    "no note": Buffer.from("nothing"),
    "a size changed": Buffer.from(text.replace("\n6\n", "\n5\n")),
    "another log's": Buffer.from(text.replaceAll("plant.example", "other.example")),
    "signed by strangers only": sealed({ size: 6, root: new Uint8Array(32) }, 0).subarray(0, 0),
  };
  for (const [name, checkpoint] of Object.entries(wrong)) {
    const log = { ...good, checkpoints: [checkpoint] };
    t.same(found(log), ["KEY-EPOCH 0", "UNSEALED-TAIL 0"], name);
  }
  const noEpoch = Buffer.from(`${text.split("\n").slice(0, 5).join("\n")}\n`);
  t.same(found({ ...good, checkpoints: [noEpoch] }), ["UNSEALED-TAIL 0", "KEY-EPOCH 6"], "without the epoch key's signature");
});

t.test("leaves of other logs and unbounded claims are strangers", async (t) => {
  const log = sampleLog({ size: 6 });
  const leaf = decodeLeaf(log.leaves[3] as Uint8Array);
  for (const stranger of [
    { ...leaf, log: 1 },
    { ...leaf, node: "a".repeat(32) },
    { ...leaf, index: Number.MAX_SAFE_INTEGER },
  ]) {
    t.same(found(withLeaves(log, log.leaves.with(3, encodeLeaf(stranger)))), ["EDIT 3"]);
  }
  const far = withLeaves({ ...log, hashes: [] }, [...log.leaves, encodeLeaf({ ...leaf, index: Number.MAX_SAFE_INTEGER })]);
  t.same(found(far), ["DELETE 6", "UNSEALED-TAIL 6"]);
  t.same(found(withLeaves(log, [...log.leaves, new Uint8Array(9000)])), ["EDIT 6"], "an entry longer than a leaf");
});
