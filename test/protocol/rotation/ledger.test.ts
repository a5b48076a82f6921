import t from "tap";
import {
  acknowledgedValue,
  exportedRole,
  giveValue,
  ingestReport,
  issueValue,
  type Ledger,
  type LedgerReport,
  learnEscrow,
  maxPool,
  openLedger,
  openValues,
  proveValue,
  raiseEpoch,
  recoveryOrder,
} from "../../../protocol/rotation/index.ts";

const print = (byte: number) => new Uint8Array(32).fill(byte);

/** An account with the adopted value 0 and a full pool of the values 1 and 2. */
function full(): Ledger {
  return issueValue(issueValue(openLedger(1, print(0)), print(1)).ledger, print(2)).ledger;
}

function report(kind: LedgerReport["kind"], number: number, epoch = 1): LedgerReport {
  return { kind, index: [epoch, number], fingerprint: print(number) };
}

const numbers = (ledger: Ledger) => recoveryOrder(ledger).map(({ index }) => index[1]);

t.test("a pool holds two open values and never a third", async (t) => {
  let ledger = openLedger(1, print(0));
  for (let open = 0; open < maxPool; open += 1) {
    t.equal(openValues(ledger).length, open);
    ledger = issueValue(ledger, print(open + 1)).ledger;
  }
  t.throws(() => issueValue(ledger, print(9)), { code: "LEDGER_POOL_FULL" });
  t.same(issueValue(ingestReport(ledger, report("verified", 1)), print(3)).index, [1, 3], "a verified value makes room");
  t.same(issueValue(ingestReport(ledger, report("rejected", 1)), print(3)).index, [1, 3], "and so does a refused one");
});

t.test("reports are monotonic and may come twice", async (t) => {
  const second = ingestReport(ingestReport(full(), report("verified", 1)), report("verified", 2));
  t.same(acknowledgedValue(second)?.index, [1, 2]);
  t.equal(ingestReport(second, report("verified", 2)), second, "the same report changes nothing");
  t.equal(ingestReport(second, report("verified", 1)), second, "an older success changes nothing");
  t.equal(ingestReport(second, report("rejected", 1)), second, "a value that was proven is not refused afterwards");
  t.equal(ingestReport(second, report("unknown", 2)), second);
  t.same(numbers(second), [2, 1, 0], "everything is kept, newest first");
});

t.test("an older value that is live again is acknowledged by a revert only", async (t) => {
  const reverted = ingestReport(ingestReport(full(), report("verified", 1)), report("reverted", 0));
  t.same(acknowledgedValue(reverted)?.index, [1, 0]);
  t.same(numbers(reverted), [0, 2, 1]);
});

t.test("a value that was skipped stays a candidate", async (t) => {
  const ledger = ingestReport(full(), report("verified", 2));
  t.same(numbers(ledger), [2, 1, 0]);
  t.equal(openValues(ledger).length, 0);
});

t.test("two values of one index are a fork, and an unknown index is refused", async (t) => {
  t.throws(() => ingestReport(full(), { ...report("verified", 1), fingerprint: print(7) }), { code: "LEDGER_FORK" });
  t.throws(() => ingestReport(full(), report("verified", 5)), { code: "LEDGER_UNKNOWN_INDEX" });
  t.throws(() => learnEscrow(full(), { current: [1, 0], values: [{ index: [1, 1], fingerprint: print(7) }] }), {
    code: "LEDGER_FORK",
  });
});

t.test("a restored vault issues nothing before the escrow, then learns what it forgot", async (t) => {
  const restored = raiseEpoch(openLedger(1, print(0)), 2);
  t.throws(() => raiseEpoch(restored, 2), { code: "LEDGER_EPOCH" });
  t.throws(() => issueValue(restored, print(3)), { code: "LEDGER_UNSETTLED" });
  const values = [
    { index: [1, 0] as const, fingerprint: print(0) },
    { index: [1, 1] as const, fingerprint: print(1) },
  ];
  const learned = learnEscrow(restored, { current: [1, 0], values });
  t.same(issueValue(learned, print(3)).index, [2, 1]);
  t.same(acknowledgedValue(learned)?.index, [1, 0]);
  t.same(acknowledgedValue(ingestReport(learned, report("verified", 1)))?.index, [1, 1]);
  t.same(acknowledgedValue(learnEscrow(restored, { current: [1, 1], values }))?.index, [1, 1], "what the node last proved");
  const given = giveValue(restored, print(9)).ledger;
  t.same(
    acknowledgedValue(learnEscrow(given, { current: [1, 1], values }))?.index,
    [2, 1],
    "not over a newer word of a person",
  );
  t.notOk(learnEscrow(restored, null).unsettled, "a node that holds nothing of it has nothing to tell");
});

t.test("a value that a person gives is acknowledged and drops nothing", async (t) => {
  const { ledger, index } = giveValue(full(), print(9));
  t.same(acknowledgedValue(ledger)?.index, index);
  t.same(numbers(ledger), [3, 1, 2, 0]);
  t.equal(openValues(ledger).length, 2);
});

t.test("what a login proves is acknowledged, older or newer", async (t) => {
  const verified = ingestReport(full(), report("verified", 2));
  for (const number of [0, 1, 2]) t.same(acknowledgedValue(proveValue(verified, [1, number]))?.index, [1, number]);
  t.equal(proveValue(verified, [1, 0]).values.length, 3, "nothing is dropped");
  t.throws(() => proveValue(verified, [1, 7]), { code: "LEDGER_UNKNOWN_INDEX" });
});

t.test("what is terminal is exported to nobody", async (t) => {
  t.same(
    (["acknowledged", "issued", "rejected", "superseded"] as const).map((status) => exportedRole(status, "edge")),
    ["current", "pool", null, null],
  );
  t.equal(exportedRole("issued", "gateway"), "pending");
});
