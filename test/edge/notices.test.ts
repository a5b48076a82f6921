import t from "tap";
import { NoticeBook } from "../../edge/notices/index.ts";
import { decodeCarrier, decodeEnvelope } from "../../protocol/envelope/index.ts";
import { signingKeyFromSeed } from "../../protocol/keys/index.ts";
import type { NoticeState } from "../../protocol/notice/index.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { type RotationRig, ready } from "./rotation-rig.ts";

const hour = 3_600_000;

t.test("each arrow that another reader of the account must know of is told in its transaction", async (t) => {
  const cases: [string, (rig: RotationRig) => void, string[]][] = [
    ["a rotation", () => {}, ["verified 0", "sent 1", "verified 1"]],
    ["a refused value", ({ device }) => device.refusesValues.add("new-1"), ["verified 0", "sent 1", "sent 2", "verified 2"]],
    [
      "both refused",
      ({ device }) => ["new-1", "new-2"].map((each) => device.refusesValues.add(each)),
      ["verified 0", "sent 1", "sent 2", "verified 0"],
    ],
    [
      "no answer, and the old one still live",
      ({ device }) => device.tricks.push({ op: "push", trick: "lost" }),
      ["verified 0", "sent 1", "sent 1", "verified 1"],
    ],
  ];
  for (const [title, trouble, told] of cases) {
    const rig = ready();
    trouble(rig);
    await rig.order("rotate").pass(2 * hour);
    t.same(rig.notices, told, title);
  }
  const rig = await ready().order("rotate").pass(hour);
  rig.device.live = "old";
  await rig.order("verify").pass(4 * hour);
  t.same(rig.notices.slice(-1), ["reverted 0"]);
});

t.test(
  "the newest notice of an account lies there until the gateway has it, and what says nothing new is not told",
  async (t) => {
    const store = new MemoryStore();
    const signing = signingKeyFromSeed(new Uint8Array(32).fill(1));
    const open = () => new NoticeBook(store, () => ({ nodeId: signing.keyId, vaultId: new Uint8Array(32), signing }));
    let book = open();
    let woken = 0;
    book.onDue(() => {
      woken += 1;
    });
    const account = (byte: number) => new Uint8Array(16).fill(byte);
    let leaf = 0;
    const note = (state: NoticeState, number: number, byte = 1) => {
      leaf += 1;
      const notice = { accountId: account(byte), index: { epoch: 1, number }, state, leaf: { serial: 1, index: leaf } };
      store.transaction((tx) => book.note(tx, notice));
      book.flush();
    };
    const gateway = new Uint8Array(20).fill(9);
    const request = { items: 8, bytes: 1e6, after: null, wants: () => true };
    const due = () => book.items(gateway, request);
    note("verified", 0);
    t.same([due().length, woken], [0, 0], "the vault's word is the same");
    note("sent", 1);
    const [first] = due();
    t.equal(first === undefined ? "" : decodeEnvelope(decodeCarrier(first.carrier).envelope).type, "notice");
    t.same(first?.mailbox, gateway);
    note("verified", 1);
    note("verified", 1);
    t.equal(woken, 2);
    const [second] = due();
    t.notSame(first?.id, second?.id);
    if (first === undefined || second === undefined) throw new Error("two notices");
    t.ok(book.settled(first, "stored"));
    t.equal(due().length, 1, "an older one that came through does not take the newer one with it");
    t.ok(book.settled(second, "full"));
    t.equal(due().length, 1);
    book = open();
    note("reverted", 0, 2);
    t.equal(due().length, 2, "also after a restart");
    t.equal(book.items(gateway, { ...request, items: 1 }).length, 1);
    for (const item of due()) t.ok(book.settled(item, item.id === due()[0]?.id ? "stored" : "refused"));
    t.same(due(), []);
    t.notOk(book.settled({ mailbox: gateway, id: new Uint8Array(32) }, "stored"), "what is no notice is left to the reports");
  },
);
