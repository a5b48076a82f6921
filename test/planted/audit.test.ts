import t from "tap";
import { loadTree, storeStorage, TreeCache } from "../../agent/audit/index.ts";
import { decodeCheckpoint, emptyTree, sequence, type Verdict, verifyLog } from "../../protocol/audit/index.ts";
import { editedLeaf, inputOf, reseal, type SampleLog, sampleLog } from "../protocol/audit/sample-log.ts";
import { MemoryStore } from "../support/memory-store.ts";

type Verifier = (log: SampleLog) => Pick<Verdict, "findings" | "sealedSize">;

const real: Verifier = (log) => verifyLog(inputOf(log));
const size = 12;
const honest = sampleLog({ size, epochs: [5], anchors: [4, 8] });

/** The tests that every verifier must pass: what must be named, and what must not be. */
const trials: readonly { readonly name: string; readonly log: SampleLog; readonly expected: string }[] = [
  { name: "honest", log: honest, expected: "" },
  ...honest.leaves.map((_, index) => ({
    name: `entry ${index} edited`,
    log: { ...honest, leaves: honest.leaves.with(index, editedLeaf(index)) },
    expected: `EDIT ${index}`,
  })),
  ...honest.leaves.slice(0, -1).map((_, index) => ({
    name: `entries ${index} and ${index + 1} swapped`,
    log: { ...honest, leaves: honest.leaves.toSpliced(index, 2, ...honest.leaves.slice(index, index + 2).reverse()) },
    expected: `REORDER ${index}`,
  })),
  { name: "cut", log: { ...honest, leaves: honest.leaves.slice(0, 10) }, expected: "TRUNCATED 10" },
  {
    name: "cut to an older checkpoint",
    log: {
      ...honest,
      leaves: honest.leaves.slice(0, 6),
      checkpoints: [...honest.checkpoints.slice(0, 1), reseal(honest.leaves, 1, 6)],
    },
    expected: "TRUNCATED 6",
  },
  {
    name: "rewritten and resealed",
    log: { ...sampleLog({ size, forkedFrom: 6 }), anchors: sampleLog({ size, anchors: [8] }).anchors },
    expected: "FORK 0",
  },
  {
    name: "resealed with an erased epoch's key",
    log: { ...honest, anchors: [], checkpoints: [honest.checkpoints[0] as Uint8Array, reseal(honest.leaves, 0)] },
    expected: "UNSEALED-TAIL 5,KEY-EPOCH 12",
  },
  { name: "an unsealed tail", log: sampleLog({ size, checkpoints: [9] }), expected: "UNSEALED-TAIL 9" },
];

function failures(verifier: Verifier): string[] {
  return trials
    .filter(
      ({ log, expected }) =>
        verifier(log)
          .findings.map(({ code, index }) => `${code} ${index}`)
          .join() !== expected,
    )
    .map(({ name }) => name);
}

const without =
  (code: string): Verifier =>
  (log) => {
    const verdict = real(log);
    return { ...verdict, findings: verdict.findings.filter((finding) => finding.code !== code) };
  };

const planted: readonly { readonly bug: string; readonly verifier: Verifier; readonly caughtBy: string }[] = [
  {
    bug: "the last entry is skipped",
    verifier: (log) =>
      real({ ...log, leaves: [...log.leaves.slice(0, -1), ...honest.leaves.slice(log.leaves.length - 1, log.leaves.length)] }),
    caughtBy: "entry 11 edited",
  },
  {
    bug: "only the size of the newest checkpoint is trusted",
    verifier: (log) => {
      const sealed = decodeCheckpoint(log.checkpoints.at(-1) as Uint8Array).size;
      return {
        sealedSize: sealed,
        findings: log.leaves.length < sealed ? [{ code: "TRUNCATED", index: log.leaves.length, says: "" }] : [],
      };
    },
    caughtBy: "entry 0 edited",
  },
  { bug: "anchors are ignored", verifier: (log) => real({ ...log, anchors: [] }), caughtBy: "cut to an older checkpoint" },
  {
    bug: "entries are sorted before they are looked at",
    verifier: (log) => real({ ...log, leaves: log.leaves.toSorted(byIndex) }),
    caughtBy: "entries 0 and 1 swapped",
  },
  {
    bug: "epoch signatures are not asked for",
    verifier: without("KEY-EPOCH"),
    caughtBy: "resealed with an erased epoch's key",
  },
  { bug: "an unsealed tail counts as sealed", verifier: without("UNSEALED-TAIL"), caughtBy: "an unsealed tail" },
  {
    bug: "stored hashes are believed instead of the entries",
    verifier: (log) => real({ ...log, leaves: honest.leaves.slice(0, log.leaves.length) }),
    caughtBy: "entry 3 edited",
  },
  {
    bug: "a crash tail is called truncated",
    verifier: (log) => ({ ...real(log), findings: real(log).findings.map((one) => ({ ...one, code: "TRUNCATED" as const })) }),
    caughtBy: "an unsealed tail",
  },
];

function byIndex(a: Uint8Array, b: Uint8Array): number {
  const index = (leaf: Uint8Array) => Number(/"index":(\d+)/.exec(Buffer.from(leaf).toString("latin1"))?.[1]);
  return index(a) - index(b);
}

t.test("the verifier passes every trial", async (t) => {
  t.same(failures(real), []);
});

t.test("each planted bug of a verifier is caught", async (t) => {
  for (const { bug, verifier, caughtBy } of planted)
    t.ok(failures(verifier).includes(caughtBy), `${bug}: caught by "${caughtBy}"`);
});

t.test("a log that forgets that its owner rolled back is caught when it is read again", async (t) => {
  const store = new MemoryStore();
  const storage = storeStorage(0);
  let tree = emptyTree;
  // The bug: the tree in memory goes on from leaves that were never committed.
  const append = (leaf: string, rollBack: boolean) => {
    try {
      store.transaction((tx) => {
        const next = sequence(tree, [Buffer.from(leaf)]);
        storage.write(tx).append(next.rows);
        tree = next.state;
        if (rollBack) throw new Error("the owner failed");
      });
    } catch {}
  };
  append("a", false);
  append("lost", true);
  append("b", false);
  t.throws(() => store.read((view) => loadTree(storage.read(view), new TreeCache())), { code: "AUDIT_STATE_MALFORMED" });
});
