import t from "tap";
import { TidegateError } from "../../../protocol/base/index.ts";
import {
  type AckOutcome,
  askSnapshot,
  bundleKind,
  bundleLimits,
  decodeReceiver,
  decodeSender,
  encodeReceiver,
  encodeSender,
  foldable,
  headerHeard,
  itemIssued,
  judge,
  raiseSenderEpoch,
  renewNonce,
  requireSnapshot,
  type SenderState,
  type StreamHead,
  snapshotDue,
  startSender,
} from "../../../protocol/bundle/index.ts";
import { EdgeEnd, reportHeads, sampleContext, VaultEnd, wanted } from "./rig.ts";
import { streamChecks } from "./stream-checks.ts";

for (const check of streamChecks) {
  t.test(check.name, async (t) => {
    t.equal(check.run(judge), null);
  });
}

function id(n: number): Uint8Array {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(0, n);
  return bytes;
}

/** A sender that issued `count` items, the first a snapshot. */
function issued(count: number, from: SenderState = startSender(1)): SenderState {
  let sender = from;
  for (let n = 0; n < count; n += 1) {
    const kind = sender.nextSeq === 1 ? bundleKind.snapshot : bundleKind.delta;
    sender = itemIssued(sender, id(sender.nextSeq), kind);
  }
  return sender;
}

function heard(sender: SenderState, ack: StreamHead | null, nonce = new Uint8Array(16).fill(3)) {
  const seal = { encapsulated: new Uint8Array(1120), commitment: new Uint8Array(32) };
  const header = { ...sampleContext({ ack, nonce }), ...seal, ciphertextLength: 0, ciphertextHash: new Uint8Array(32) };
  return headerHeard(sender, header);
}

t.test("a sender's outbox shrinks by the recipient's acknowledgement only, and only for its own items", async (t) => {
  const sender = heard(issued(5), { epoch: 1, seq: 2, id: id(2) }).sender;
  const cases: [what: string, ack: StreamHead | null, outcome: AckOutcome, left: number, wantsSnapshot: boolean][] = [
    ["the next two", { epoch: 1, seq: 4, id: id(4) }, "advanced", 1, false],
    ["all", { epoch: 1, seq: 5, id: id(5) }, "advanced", 0, false],
    ["the same again", { epoch: 1, seq: 2, id: id(2) }, "same", 3, false],
    ["an older one: the node's store went back", { epoch: 1, seq: 1, id: id(1) }, "behind", 3, true],
    ["nothing: the node asks", null, "asks", 3, true],
    ["one never issued: our store went back", { epoch: 1, seq: 6, id: id(6) }, "ahead", 3, false],
    ["one of a later epoch", { epoch: 2, seq: 1, id: id(1) }, "ahead", 3, false],
    ["one of an earlier epoch", { epoch: 0, seq: 9, id: id(9) }, "other-epoch", 3, false],
    ["another item under an open number", { epoch: 1, seq: 3, id: id(99) }, "fork", 3, false],
    ["another item under the settled number", { epoch: 1, seq: 2, id: id(99) }, "fork", 3, false],
  ];
  for (const [what, ack, outcome, left, wantsSnapshot] of cases) {
    const result = heard(sender, ack);
    t.equal(result.outcome, outcome, what);
    t.equal(result.sender.unacknowledged.length, left, what);
    t.equal(result.sender.snapshotWanted, wantsSnapshot, what);
    t.equal(result.settled.length, 3 - left, what);
  }
});

t.test("a wish for a snapshot is met once, and a new nonce makes a new wish", async (t) => {
  const nonce = new Uint8Array(16).fill(1);
  const asked = heard(issued(3), null, nonce).sender;
  t.ok(snapshotDue(asked));
  const met = itemIssued(asked, id(4), bundleKind.snapshot);
  t.notOk(snapshotDue(met));
  t.notOk(snapshotDue(heard(met, null, nonce).sender), "the same wish, repeated while the snapshot travels");
  t.ok(snapshotDue(heard(met, null, new Uint8Array(16).fill(2)).sender));
  t.same(met.heardNonces, [nonce]);
});

t.test("at most 8 heard nonces are answered, newest first, each once", async (t) => {
  let sender = startSender(1);
  for (const byte of [1, 2, 3, 4, 5, 6, 7, 8, 9, 3]) sender = heard(sender, null, new Uint8Array(16).fill(byte)).sender;
  t.same(
    sender.heardNonces.map((nonce) => nonce[0]),
    [3, 9, 8, 7, 6, 5, 4, 2],
  );
});

t.test("items behind an unacknowledged snapshot can be folded", async (t) => {
  const sender = issued(1, itemIssued(issued(3), id(4), bundleKind.snapshot));
  t.same(
    foldable(sender).map((item) => item.seq),
    [1, 2, 3],
  );
  t.same(foldable(issued(4)), [], "the first item is a snapshot with nothing behind it");
});

t.test("an outbox takes as many items as allowed, and goes on behind a snapshot", async (t) => {
  const { unacknowledged } = bundleLimits;
  t.equal(issued(unacknowledged - 1).unacknowledged.length, unacknowledged - 1);
  const full = issued(unacknowledged);
  t.equal(full.unacknowledged.length, unacknowledged);
  t.throws(() => issued(1, full), { code: "STREAM_OUTBOX_FULL" });
  const folded = itemIssued(full, id(unacknowledged + 1), bundleKind.snapshot);
  t.equal(folded.unacknowledged.length, unacknowledged);
  t.equal(folded.unacknowledged[0]?.seq, 2);
  const ack = { epoch: 1, seq: 1, id: id(1) };
  t.equal(heard(folded, ack).outcome, "same", "an id that was folded away is not remembered");
});

t.test("a raised epoch starts again at 1 with a snapshot and keeps what was heard", async (t) => {
  const sender = heard(issued(3), null).sender;
  const raised = raiseSenderEpoch(sender, 2);
  t.match(raised, { epoch: 2, nextSeq: 1, unacknowledged: [], acknowledged: null });
  t.same(raised.heardNonces, sender.heardNonces);
  t.ok(snapshotDue(raised));
});

t.test("an answer to an earlier nonce counts as heard for 64 renewals", async (t) => {
  for (const [renewals, due] of [
    [0, "current"],
    [1, "past"],
    [63, "past"],
    [64, "past"],
    [65, "none"],
  ] as const) {
    const vault = new VaultEnd();
    const edge = new EdgeEnd();
    edge.take(vault.issue([wanted(1, 1)]).carrier);
    for (let n = 0; n < renewals; n += 1) edge.receiver = renewNonce(edge.receiver, edge.nonce());
    t.equal(edge.receiver.pastNonces.length, Math.min(renewals, bundleLimits.pastNonces));
    t.equal(edge.take(vault.issue([wanted(1, 2)]).carrier), "apply");
    t.equal(edge.answered, due, `${renewals} renewals`);
  }
});

t.test("a contradiction that is replayed does not void the answer under way", async (t) => {
  const edge = new EdgeEnd();
  edge.take(new VaultEnd().issue([wanted(1, 1)]).carrier);
  const first = requireSnapshot(edge.receiver, "QUARANTINE", edge.nonce());
  t.equal(requireSnapshot(first, "QUARANTINE", edge.nonce()), first);
  const rejoined = requireSnapshot(first, "REJOINED", edge.nonce());
  t.equal(rejoined.mode, "REJOINED");
  t.notSame(rejoined.nonce, first.nonce);
  const fresh = requireSnapshot(new EdgeEnd().receiver, "REJOINED", edge.nonce());
  t.equal(fresh.mode, "FRESH", "a node that applied nothing has nothing to rejoin with");
});

t.test("the ids of the last 256 items tell a fork from a repetition; older ones are no-ops", async (t) => {
  const { recentIds } = bundleLimits;
  const head = { epoch: 1, seq: 1000, id: id(1000) };
  const recent = Array.from({ length: recentIds }, (_, n) => ({
    epoch: 1,
    seq: 1000 - recentIds + 1 + n,
    id: id(1000 - recentIds + 1 + n),
  }));
  const edge = new EdgeEnd();
  const receiver = { ...edge.receiver, mode: "NORMAL" as const, head, recent };
  const seal = {
    encapsulated: new Uint8Array(1120),
    commitment: new Uint8Array(32),
    ciphertextLength: 1,
    ciphertextHash: id(0),
  };
  const at = (seq: number) => ({ ...sampleContext({ seq, prev: id(seq - 1) }), ...seal });
  const oldest = 1000 - recentIds + 1;
  t.equal(judge(receiver, at(oldest), id(7)).code, "STREAM_FORK");
  t.equal(judge(receiver, at(oldest), id(oldest)).verdict, "duplicate");
  t.equal(judge(receiver, at(oldest - 1), id(7)).verdict, "duplicate");
});

t.test("held items are bounded by bytes too", async (t) => {
  const { heldBytes } = bundleLimits;
  const edge = new EdgeEnd();
  const head = { epoch: 1, seq: 1, id: id(1) };
  const held = [{ epoch: 1, seq: 3, id: id(3), bytes: heldBytes - 100 }];
  const receiver = { ...edge.receiver, mode: "NORMAL" as const, head, recent: [head], held };
  const seal = { encapsulated: new Uint8Array(1120), commitment: new Uint8Array(32), ciphertextHash: id(0) };
  const context = sampleContext({ seq: 4, prev: id(3), kind: bundleKind.delta });
  for (const [ciphertextLength, due] of [
    [99, null],
    [100, null],
    [101, "STREAM_HELD_FULL"],
  ] as const)
    t.equal(judge(receiver, { ...context, ...seal, ciphertextLength }, id(4)).code, due, `${ciphertextLength} bytes`);
});

t.test("stored stream states decode to the same, and nothing else decodes", async (t) => {
  const vault = new VaultEnd();
  const edge = new EdgeEnd();
  edge.take(vault.issue([wanted(1, 1)]).carrier);
  vault.issue([wanted(1, 2)]);
  edge.take(vault.issue([wanted(1, 3)]).carrier);
  edge.receiver = askSnapshot(edge.receiver, edge.nonce());
  reportHeads(edge, vault);
  t.equal(edge.receiver.held.length, 1, "the state has something to store");
  const receiver = encodeReceiver(edge.receiver);
  const sender = encodeSender(vault.sender);
  t.same(decodeReceiver(receiver), edge.receiver);
  t.same(decodeSender(sender), vault.sender);
  t.same(decodeReceiver(encodeReceiver(new EdgeEnd().receiver)), new EdgeEnd().receiver);
  t.same(decodeSender(encodeSender(startSender(4))), startSender(4));
  t.throws(() => decodeReceiver(sender), { code: "STREAM_STATE_SHAPE" });
  t.throws(() => decodeSender(receiver), { code: "STREAM_STATE_SHAPE" });
  for (const [bytes, decode] of [
    [receiver, decodeReceiver],
    [sender, decodeSender],
  ] as const) {
    for (let length = 0; length < bytes.length; length += 1) {
      try {
        decode(bytes.subarray(0, length));
        t.fail(`${length} bytes decoded`);
      } catch (error) {
        if (!(error instanceof TidegateError) || error.code !== "STREAM_STATE_SHAPE") throw error;
      }
    }
  }
});
