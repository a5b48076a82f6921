import t from "tap";
import { concat, toHex, utf8 } from "../../../protocol/base/index.ts";
import { Courier, type CourierEffect, type CourierItem, type ItemOutcome } from "../../../protocol/courier/index.ts";
import { fullRetryMs, maxInFlight, maxInFlightPerMailbox, maxItemsBegun, partBytes } from "../../../protocol/courier/limits.ts";
import { encodeCredit, encodeHopAck, encodePartHead } from "../../../protocol/courier/wire.ts";
import { encodeCarrier, encodeEnvelope, envelopeId } from "../../../protocol/envelope/index.ts";

const itemPart = 1;
const hopAck = 2;
const credit = 3;

function box(byte: number): Uint8Array {
  return new Uint8Array(20).fill(byte);
}

/** An item of about `bytes` bytes; `name` makes its id. */
function item(mailbox: number, name: string, bytes = 100): CourierItem {
  const payload = utf8(name);
  const signature = { keyId: new Uint8Array(20), signature: new Uint8Array(64) };
  const envelope = encodeEnvelope("report", payload, [signature]);
  const carrier = encodeCarrier({ statements: [], envelope, body: new Uint8Array(bytes) });
  return { mailbox: box(mailbox), id: envelopeId("report", payload), carrier };
}

/** Two couriers and what is between them; the receiver's store is played by the test. */
class Line {
  readonly from = new Courier();
  readonly to: Courier;
  readonly arrived: CourierItem[] = [];
  readonly answers: ItemOutcome[] = [];
  now = 0;

  constructor(maxItemBytes?: number) {
    this.to = new Courier(maxItemBytes);
    this.back(this.to.open());
  }

  /** The receiver's frames reach the sender. */
  back(effects: readonly CourierEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === "item") this.arrived.push(effect.item);
      if (effect.kind !== "send") continue;
      for (const answer of this.from.receive(effect.frame, concat(...effect.payload), this.now)) {
        if (answer.kind !== "answered") continue;
        this.answers.push(answer.outcome);
        this.from.released(answer.key);
      }
    }
  }

  /** Sends at most `parts` parts; the number sent. */
  send(parts = Number.POSITIVE_INFINITY): number {
    let sent = 0;
    for (; sent < parts; sent += 1) {
      const part = this.from.next();
      if (part === null) break;
      this.back(this.to.receive(part.frame, concat(...part.payload), this.now));
    }
    return sent;
  }

  /** The store answers for everything that arrived. */
  settle(outcome: ItemOutcome = "stored"): void {
    for (const one of this.arrived.splice(0)) this.back(this.to.settled(one, outcome));
  }
}

t.test("an item of any number of parts arrives whole", (t) => {
  for (const bytes of [1, partBytes - 400, partBytes, partBytes * 2 + 1, 1_000_000]) {
    const line = new Line();
    const sent = item(1, "one", bytes);
    line.from.offer([sent]);
    line.send();
    t.same(line.arrived, [sent], `${bytes} bytes`);
    line.settle();
    t.same(line.answers, ["stored"]);
  }
  t.end();
});

t.test("credit stops while the store is behind, and goes on when it has answered", (t) => {
  const line = new Line();
  const items = Array.from({ length: 16 }, (_, index) => item(index, `big ${index}`, 1_500_000));
  for (const one of items) line.from.offer([one]);
  line.send();
  const held = line.arrived.reduce((sum, one) => sum + one.carrier.length, 0);
  t.ok(held > 8_000_000 && held < 16_000_000, `${held} bytes wait for the store`);
  t.equal(line.send(), 0);
  for (let round = 0; round < 20 && line.answers.length < 16; round += 1) {
    line.settle();
    line.send();
  }
  t.equal(line.answers.length, 16);
  t.end();
});

t.test("a large item does not hold up the other mailboxes, and order holds within each", (t) => {
  const line = new Line();
  line.from.offer([item(1, "large", 2_000_000), item(1, "after large"), item(2, "a"), item(2, "b"), item(3, "c")]);
  line.send(8);
  t.same(
    line.arrived.map((one) => `${one.mailbox[0]} ${toHex(one.id).slice(0, 4)}`),
    [item(2, "a"), item(3, "c"), item(2, "b")].map((one) => `${one.mailbox[0]} ${toHex(one.id).slice(0, 4)}`),
  );
  line.send();
  t.same(line.arrived.slice(3), [item(1, "large", 2_000_000), item(1, "after large")]);
  t.end();
});

t.test(`no more than ${maxItemsBegun} items are begun at a time`, (t) => {
  const line = new Line();
  const boxes = [1, 2, 3, 4, 5, 6];
  line.from.offer(boxes.map((one) => item(one, `${one}`, partBytes * 3)));
  const order: number[] = [];
  for (let part = line.from.next(); part !== null; part = line.from.next()) {
    order.push(part.payload[0]?.[2] ?? 0);
    line.back(line.to.receive(part.frame, concat(...part.payload), 0));
  }
  t.same(order.slice(0, 8), [1, 2, 3, 4, 1, 2, 3, 4]);
  t.equal(line.arrived.length, 6);
  t.end();
});

t.test("what is asked of the outbox: no more than fits, each mailbox its share, the next mailbox first", (t) => {
  const { from } = new Line();
  const many = Array.from({ length: 20 }, (_, index) => item(1, `many ${index}`));
  t.equal(from.request(0)?.items, maxInFlight);
  t.equal(from.request(0)?.after, null);
  t.equal(from.offer(many), maxInFlightPerMailbox);
  const request = from.request(0);
  t.equal(request?.items, maxInFlight - maxInFlightPerMailbox);
  t.same(request?.after, box(1));
  t.notOk(request?.wants(item(1, "many 0")), "already under way");
  t.notOk(request?.wants(item(1, "many 19")), "its mailbox has its share");
  t.ok(request?.wants(item(2, "other")));
  t.equal(from.offer([item(2, "other"), item(2, "other")]), 1, "the same item once");
  const others = Array.from({ length: 60 }, (_, index) => item(10 + index, `others ${index}`));
  t.equal(from.offer(others), maxInFlight - maxInFlightPerMailbox - 1);
  t.equal(from.request(0), null);
  t.end();
});

t.test("an item stays in flight until the outbox has noted its answer", (t) => {
  const line = new Line();
  const one = item(1, "one");
  line.from.offer([one]);
  const part = line.from.next();
  const answer = line.from.receive(hopAck, encodeHopAck(one, "stored"), 0);
  t.match(part, { frame: itemPart });
  t.match(answer, [{ kind: "answered", outcome: "stored" }]);
  t.notOk(line.from.request(0)?.wants(one));
  line.from.released(one);
  t.ok(line.from.request(0)?.wants(one));
  t.end();
});

t.test("an item above the receiver's limit is refused at its first part, and the others go on", (t) => {
  const exact = item(1, "exact", 50_000);
  for (const [limit, outcome] of [
    [exact.carrier.length - 1, "too-large"],
    [exact.carrier.length, undefined],
    [exact.carrier.length + 1, undefined],
  ] as const) {
    const line = new Line(limit);
    line.from.offer([exact, item(1, "next")]);
    line.send();
    t.equal(line.answers[0], outcome, `limit ${limit}`);
    t.equal(line.arrived.length, outcome === undefined ? 2 : 1);
    t.equal(line.from.request(0)?.wants(exact), false);
  }
  t.end();
});

t.test("parts under way of an item that was refused in mid-course are dropped", (t) => {
  const to = new Courier(10);
  to.open();
  const large = item(1, "large", 40_000);
  const part = (offset: number) =>
    concat(encodePartHead({ ...large, offset, total: large.carrier.length }), large.carrier.subarray(offset, offset + 1_000));
  t.match(to.receive(itemPart, part(0), 0), [{ kind: "send", frame: hopAck }]);
  t.same(to.receive(itemPart, part(1_000), 0), []);
  t.end();
});

t.test("a full mailbox waits for its time, the others do not", (t) => {
  const line = new Line();
  line.from.offer([item(1, "a"), item(1, "b", partBytes * 2), item(1, "c"), item(2, "d")]);
  line.send(1);
  line.settle("full");
  t.same(line.answers, ["full"]);
  t.equal(line.from.retryAt, fullRetryMs);
  line.now = fullRetryMs - 1;
  t.equal(line.from.request(line.now)?.wants(item(1, "a")), false);
  t.equal(line.from.request(line.now)?.wants(item(2, "e")), true);
  line.send();
  t.equal(line.arrived.length, 1, "d alone");
  line.now += 1;
  t.equal(line.from.request(line.now)?.wants(item(1, "a")), true);
  t.equal(line.from.retryAt, null);
  t.end();
});

t.test("what is no carrier, or another one than it says, is refused and never reaches the store", (t) => {
  const good = item(1, "good");
  for (const bad of [
    { ...good, carrier: utf8("no carrier") },
    { ...good, id: new Uint8Array(32).fill(9) },
    { ...good, carrier: good.carrier.subarray(0, -1) },
  ]) {
    const line = new Line();
    line.from.offer([bad]);
    line.send();
    t.same([line.arrived.length, line.answers], [0, ["refused"]]);
    t.equal(line.from.request(0)?.wants(bad), false, "not offered again in this session");
  }
  t.end();
});

const one = item(1, "one", 40_000);
const another = item(1, "another", 40_000);

function part(of: CourierItem, offset: number, length = 1_000, total = of.carrier.length): [1, Uint8Array] {
  return [itemPart, concat(encodePartHead({ ...of, offset, total }), of.carrier.subarray(offset, offset + length))];
}

const violations: Record<string, { frames: [1 | 2 | 3, Uint8Array][]; code: string }> = {
  "a part of nothing": { frames: [part(one, 0, 0)], code: "COURIER_MALFORMED" },
  "a part behind its end": { frames: [part(one, 0, 1_000, 999)], code: "COURIER_MALFORMED" },
  "a part without head": { frames: [[itemPart, utf8("xx")]], code: "COURIER_MALFORMED" },
  "a part that leaves a gap": { frames: [part(one, 0), part(one, 1_001)], code: "COURIER_ORDER" },
  "a part twice": { frames: [part(one, 0), part(one, 1_000), part(one, 1_000)], code: "COURIER_ORDER" },
  "a part without beginning": { frames: [part(one, 1_000)], code: "COURIER_ORDER" },
  "a part of another length": { frames: [part(one, 0), part(one, 1_000, 1_000, 30_000)], code: "COURIER_ORDER" },
  "another item before the first is whole": { frames: [part(one, 0), part(another, 0)], code: "COURIER_ORDER" },
  "too many items begun": {
    frames: [1, 2, 3, 4, 5].map((mailbox) => part({ ...one, mailbox: box(mailbox) }, 0)),
    code: "COURIER_ORDER",
  },
  "an answer to nothing": { frames: [[hopAck, encodeHopAck(one, "stored")]], code: "COURIER_UNEXPECTED" },
  "an answer of no kind": { frames: [[hopAck, utf8("x")]], code: "COURIER_MALFORMED" },
  "credit taken back": {
    frames: [
      [credit, encodeCredit(5)],
      [credit, encodeCredit(4)],
    ],
    code: "COURIER_CREDIT",
  },
  "credit without bound": { frames: [[credit, encodeCredit(67_108_865)]], code: "COURIER_CREDIT" },
  "credit that is no number": { frames: [[credit, utf8("x")]], code: "COURIER_MALFORMED" },
};

for (const [name, { frames, code }] of Object.entries(violations)) {
  t.test(`ends the session: ${name}`, (t) => {
    const courier = new Courier();
    courier.open();
    t.throws(
      () => {
        for (const [kind, payload] of frames) courier.receive(kind, payload, 0);
      },
      { code },
    );
    t.end();
  });
}

t.test("the window is a hard bound: one byte more than credit ends the session", (t) => {
  for (const [bytes, code] of [
    [262_144, null],
    [262_145, "COURIER_CREDIT"],
  ] as const) {
    const courier = new Courier();
    const [first] = courier.open();
    t.match(first, { kind: "send", frame: credit });
    const large = item(1, "large", 400_000);
    const head = encodePartHead({ ...large, offset: 0, total: large.carrier.length });
    const payload = concat(head, large.carrier.subarray(0, bytes - head.length));
    if (code === null) t.doesNotThrow(() => courier.receive(itemPart, payload, 0));
    else t.throws(() => courier.receive(itemPart, payload, 0), { code });
  }
  t.end();
});

t.test("credit is taken to its bound and not beyond", (t) => {
  const courier = new Courier();
  t.doesNotThrow(() => courier.receive(credit, encodeCredit(67_108_864), 0));
  courier.offer([item(1, "x")]);
  t.ok(courier.next());
  t.throws(() => courier.receive(credit, encodeCredit(67_108_864 + 10_000), 0), { code: "COURIER_CREDIT" });
  t.end();
});

t.test("an answer before the item is sent is a violation, unless it says too large", (t) => {
  const courier = new Courier();
  courier.receive(credit, encodeCredit(20_000), 0);
  courier.offer([one, another]);
  courier.next();
  t.throws(() => courier.receive(hopAck, encodeHopAck(one, "stored"), 0), { code: "COURIER_UNEXPECTED" });
  t.throws(() => courier.receive(hopAck, encodeHopAck(another, "too-large"), 0), { code: "COURIER_UNEXPECTED" });
  t.match(courier.receive(hopAck, encodeHopAck(one, "too-large"), 0), [{ kind: "answered" }]);
  courier.receive(credit, encodeCredit(60_000), 0);
  t.same(courier.next()?.payload[1], another.carrier.subarray(0, partBytes), "the next item follows");
  t.end();
});
