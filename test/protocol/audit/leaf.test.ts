import { isDeepStrictEqual } from "node:util";
import t from "tap";
import {
  ACTOR_KINDS,
  AUDIT_ACTIONS,
  type AuditEvent,
  decodeLeaf,
  encodeEvents,
  encodeLeaf,
  type Leaf,
  leafOf,
  maxDetailLength,
  maxIdLength,
  maxLeafBytes,
  SUBJECT_KINDS,
} from "../../../protocol/audit/index.ts";
import { scanLeaf } from "../../../protocol/audit/leaf-scan.ts";
import { eventAt, leafAt, node } from "./sample-log.ts";

const bytes = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));
const text = (leaf: Uint8Array) => Buffer.from(leaf).toString("latin1");
const good = text(encodeLeaf(leafAt(5, eventAt(5))));

t.test("a leaf is one line of printable ASCII in a fixed order of keys", async (t) => {
  t.equal(
    good,
    `{"v":1,"log":0,"index":5,"time":[1700000005000,1700000005500],"wallMs":86400005,"boot":"5e1f-b007","sinceBootMs":50,"node":"${node}",` +
      `"action":"rotation.rejected","actor":{"kind":"node","id":"${node}"},"subject":{"kind":"account","id":"hall-1/plc-5/admin"},` +
      `"outcome":"denied","code":"ROTATION_POLICY","details":{"attempt":1,"epoch":1,"number":5,"says":"answered \\"no\\" \\u2717"}}`,
  );
  for (const id of ["\u0000\u001f", "\u007f\u0085", "\u2028\u202e", '\\"/', "Pumpe Süd 😀"]) {
    const leaf = leafAt(1, { ...eventAt(1), subject: { kind: "device", id } } as AuditEvent);
    const spelt = encodeLeaf(leaf);
    t.match(text(spelt), /^[\x20-\x7e]+$/);
    t.equal(decodeLeaf(spelt).subject.id, id);
    t.equal(JSON.parse(text(spelt)).subject.id, id, "any JSON reader agrees");
  }
});

t.test("only the canonical bytes are a leaf", async (t) => {
  t.same(decodeLeaf(bytes(good)), leafAt(5, eventAt(5)));
  const refused: Record<string, string> = {
    "a newline behind it": `${good}\n`,
    "a space": good.replace('"v":1,', '"v": 1,'),
    "another version": good.replace('"v":1', '"v":2'),
    "another order of keys": good.replace('"log":0,"index":5', '"index":5,"log":0'),
    "a double key": good.replace('"log":0', '"log":0,"log":0'),
    "a double detail": good.replace('"attempt":1', '"attempt":1,"attempt":1'),
    "an unknown key": good.replace('"log":0', '"log":0,"x":0'),
    "a missing key": good.replace('"log":0,', ""),
    "a number with a fraction": good.replace('"index":5', '"index":5.0'),
    "a number with an exponent": good.replace('"index":5', '"index":5e0'),
    "a negative number": good.replace('"index":5', '"index":-5'),
    "minus zero": good.replace('"log":0', '"log":-0'),
    "a number above 2^53 - 1": good.replace('"index":5', '"index":9007199254740992'),
    "an escape that is not needed": good.replace("plc", "\\u0070lc"),
    "an escape in upper case": good.replace("\\u2717", "\\u271A").replace("271A", "271A"),
    "a short escape": good.replace("\\u2717", "\\n"),
    "an escaped slash": good.replace("hall-1/", "hall-1\\/"),
    "raw UTF-8": good.replace("\\u2717", "\xe2\x9c\x97"),
    "half a surrogate pair": good.replace("\\u2717", "\\ud83d"),
    "an interval that ends before it begins": good.replace("1700000005500", "1600000000000"),
    "an interval of three": good.replace("1700000005500]", "1700000005500,1]"),
    "an unknown outcome": good.replace('"denied"', '"great"'),
    "an action without a verb": good.replace("rotation.rejected", "rotation"),
    "a code in lower case": good.replace("ROTATION_POLICY", "rotation"),
    "a nested detail": good.replace('"attempt":1', '"attempt":[1]'),
    "a null detail": good.replace('"attempt":1', '"attempt":null'),
    "details out of order": good.replace('"attempt":1,"epoch":1', '"epoch":1,"attempt":1'),
    "a detail named as an object's own": good.replace('"attempt"', '"__proto__"'),
    "a node id that is none": good.replaceAll(node, node.slice(1)),
    "an array": "[]",
    nothing: "",
    "half a leaf": good.slice(0, 100),
    "more than 8 KiB": " ".repeat(maxLeafBytes + 1),
  };
  for (const [name, spelling] of Object.entries(refused)) {
    t.not(spelling, good, name);
    t.throws(() => decodeLeaf(bytes(spelling)), { code: "AUDIT_LEAF_MALFORMED" }, name);
  }
});

t.test("a newer log's actions, kinds and details can be read", async (t) => {
  const newer = good
    .replace("rotation.rejected", "drone.land")
    .replace('"kind":"account"', '"kind":"pad"')
    .replace('"says"', '"zebra"');
  t.equal(decodeLeaf(bytes(newer)).action, "drone.land");
});

t.test("only listed details of the listed kind get into a leaf", async (t) => {
  const place = leafAt(1, eventAt(1));
  const read = eventAt(1);
  for (const details of [{ password: "x" }, { count: "1" }, { stale: 1 }, { version: 2 }, { constructor: "x" }]) {
    t.throws(() => leafOf({ ...read, details } as unknown as AuditEvent, place), { code: "AUDIT_LEAF_MALFORMED" });
  }
  const undefinedLeftOut = { ...read, details: { count: 1, version: undefined } } as unknown as AuditEvent;
  t.same(leafOf(undefinedLeftOut, place).details, { count: 1 });
  for (const [action, fields] of Object.entries(AUDIT_ACTIONS)) {
    t.match(action, /^[a-z]+\.[a-z-]+$/);
    t.ok(Object.keys(fields).length <= 10, `${action} leaves room`);
  }
  for (const kind of [...ACTOR_KINDS, ...SUBJECT_KINDS]) t.match(kind, /^[a-z]+$/);
});

t.test("each limit holds at its edge", async (t) => {
  const withId = (length: number) =>
    leafAt(1, { ...eventAt(1), subject: { kind: "device", id: "x".repeat(length) } } as AuditEvent);
  const withDetail = (length: number) => leafAt(1, { ...eventAt(1), details: { version: "x".repeat(length) } } as AuditEvent);
  for (const [limit, make] of [
    [maxIdLength, withId],
    [maxDetailLength, withDetail],
  ] as const) {
    t.ok(encodeLeaf(make(limit - 1)));
    t.ok(encodeLeaf(make(limit)));
    t.throws(() => encodeLeaf(make(limit + 1)), { code: "AUDIT_LEAF_TOO_LARGE" });
  }
  // Six bytes for each escaped character: a leaf reaches 8 KiB before its fields reach their limits together.
  const sized = (length: number) => {
    const details = { zone: "\u0001".repeat(256), name: "\u0001".repeat(256), via: "\u0001".repeat(256) };
    const filler = { kind: "application", id: "\u0001".repeat(400) } as const;
    const event = {
      ...eventAt(2),
      action: "node.enroll",
      actor: filler,
      subject: { kind: "account", id: "" },
      details,
    } as unknown as AuditEvent;
    const rest = length - encodeLeaf(leafAt(2, event)).length;
    const id = "\u0001".repeat(Math.floor(rest / 6)) + "x".repeat(rest % 6);
    return leafAt(2, { ...event, subject: { kind: "account", id } } as unknown as AuditEvent);
  };
  for (const length of [maxLeafBytes - 1, maxLeafBytes]) t.equal(encodeLeaf(sized(length)).length, length);
  t.throws(() => encodeLeaf(sized(maxLeafBytes + 1)), { code: "AUDIT_LEAF_TOO_LARGE" });
});

t.test("events that are encoded together are the leaves that each of them is alone", async (t) => {
  const place = { ...leafAt(7, eventAt(7)) };
  const known = eventAt(1);
  const subject = (id: string) => ({ ...known, subject: { kind: "account", id } }) as AuditEvent;
  const details = (given: object) => ({ ...known, details: given }) as AuditEvent;
  const events = [
    ...Array.from({ length: 6 }, (_, index) => eventAt(index)),
    subject(""),
    subject('a "quoted" \\ path'),
    subject("Pumpe Süd 😀"),
    subject("x".repeat(maxIdLength)),
    details({}),
    details({ count: 0, spanMs: Number.MAX_SAFE_INTEGER, stale: true, version: "1.1" }),
    details({ version: "\n", count: undefined }),
    { ...known, outcome: "denied", code: "READ_DENIED" } as AuditEvent,
    { ...known, details: undefined } as unknown as AuditEvent,
  ];
  const together = encodeEvents(events, place);
  t.equal(together.length, events.length);
  for (const [at, event] of events.entries())
    t.equal(text(together[at] as Uint8Array), text(encodeLeaf(leafOf(event, { ...place, index: 7 + at }))));
  t.same(encodeEvents([], place), []);
  // Each after each, so that what a leaf takes over from the one before is tried; with indexes that grow a digit, and up to the largest.
  const pairs = events.flatMap((event) => events.flatMap((other) => [event, other, event]));
  for (const first of [5, 95, 2 ** 31 - 40, Number.MAX_SAFE_INTEGER - pairs.length]) {
    const leaves = encodeEvents(pairs, { ...place, index: first });
    for (const [at, event] of pairs.entries()) {
      const alone = text(encodeLeaf(leafOf(event, { ...place, index: first + at })));
      if (text(leaves[at] as Uint8Array) !== alone) t.fail(`the leaf of index ${first + at} is another: ${alone}`);
    }
  }
  const refused: [event: AuditEvent, code: string][] = [
    [subject("x".repeat(maxIdLength + 1)), "AUDIT_LEAF_TOO_LARGE"],
    [details({ version: "x".repeat(maxDetailLength + 1) }), "AUDIT_LEAF_TOO_LARGE"],
    [details({ password: "x" }), "AUDIT_LEAF_MALFORMED"],
    [details({ count: "1" }), "AUDIT_LEAF_MALFORMED"],
    [details({ count: -1 }), "AUDIT_LEAF_MALFORMED"],
    [details({ count: -0 }), "AUDIT_LEAF_MALFORMED"],
    [details({ count: 0.5 }), "AUDIT_LEAF_MALFORMED"],
    [{ ...known, outcome: "good" } as unknown as AuditEvent, "AUDIT_LEAF_MALFORMED"],
    [{ ...known, actor: { kind: "No", id: "" } } as unknown as AuditEvent, "AUDIT_LEAF_MALFORMED"],
  ];
  for (const [event, code] of refused) t.throws(() => encodeEvents([known, event], place), { code });
});

t.test("what is scanned as a leaf is one, whatever is changed in it", async (t) => {
  const samples = Array.from({ length: 12 }, (_, index) => encodeLeaf(leafAt(index, eventAt(index))));
  let accepted = 0;
  for (const sample of samples) {
    t.match(scanLeaf(sample), { index: decodeLeaf(sample).index, node: decodeLeaf(sample).node });
    for (let at = 0; at < sample.length; at += 1) {
      for (const byte of [0x22, 0x2c, 0x30, 0x31, 0x39, 0x5c, 0x61, 0x7d, 0x80]) {
        const changed = Buffer.from(sample);
        changed[at] = byte;
        const scanned = scanLeaf(changed);
        const decoded = decodedOrNull(changed);
        if (decoded !== null) accepted += 1;
        const place = ({ log, index, node }: Pick<Leaf, "log" | "index" | "node">) => ({ log, index, node });
        if (!isDeepStrictEqual(scanned && place(scanned), decoded && place(decoded))) t.fail(changed.toString("latin1"));
      }
    }
  }
  t.ok(accepted > 1000, "the changes leave many leaves whole");
});

function decodedOrNull(bytes: Uint8Array): Leaf | null {
  try {
    return decodeLeaf(bytes);
  } catch {
    return null;
  }
}
