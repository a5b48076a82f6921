// Cases of protocol/vectors/audit.json: leaves.
import { encodeLeaf, hashLeaf, type LeafPlace, leafOf } from "../../protocol/audit/index.ts";
import { eventAt, leafAt, node, successionAt } from "../../test/protocol/audit/sample-log.ts";
import type { VectorCase } from "../vectors-check/vector-file.ts";

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

const plain = textOf(encodeLeaf(leafAt(5, eventAt(5))));
const strange = textOf(
  encodeLeaf({ ...leafAt(2, eventAt(2)), subject: { kind: "device", id: '\u0000\u001f"\\/\u007f\u0085é\u2028😀' } }),
);
const place: LeafPlace = { log: 7, index: 2 ** 53 - 1, time: [0, null], wallMs: 0, boot: "", sinceBootMs: 0, node };
const bare = textOf(
  encodeLeaf(
    leafOf(
      { action: "freshness.remove", actor: { kind: "operator", id: "" }, subject: { kind: "zone", id: "" }, outcome: "ok" },
      place,
    ),
  ),
);
const goodLeaves: [string, string][] = [
  ["a leaf with every field", plain],
  ["a leaf with every kind of escape", strange],
  ["a leaf with empty texts, an open interval and the highest index", bare],
  ["a succession", textOf(encodeLeaf(leafAt(4, successionAt(4, 1))))],
  [
    "a leaf of an action, a kind and a detail that this version does not know",
    plain.replace("rotation.rejected", "drone.land").replace('"kind":"account"', '"kind":"pad"').replace('"says"', '"zebra"'),
  ],
];
const badLeaves: [string, string][] = [
  ["nothing", ""],
  ["a newline behind the leaf", `${plain}\n`],
  ["a space", plain.replace('"v":1,', '"v": 1,')],
  ["another version", plain.replace('"v":1', '"v":2')],
  ["keys in another order", plain.replace('"log":0,"index":5', '"index":5,"log":0')],
  ["a double key", plain.replace('"log":0', '"log":0,"log":0')],
  ["an unknown key", plain.replace('"log":0', '"log":0,"x":0')],
  ["a missing key", plain.replace('"log":0,', "")],
  ["a fraction", plain.replace('"index":5', '"index":5.0')],
  ["an exponent", plain.replace('"index":5', '"index":5e0')],
  ["a negative number", plain.replace('"index":5', '"index":-5')],
  ["minus zero", plain.replace('"log":0', '"log":-0')],
  ["2^53", plain.replace('"index":5', '"index":9007199254740992')],
  ["an escape that is not needed", plain.replace("plc", "\\u0070lc")],
  ["an escape in upper case", plain.replace("\\u2717", "\\u271A")],
  ["a short escape", plain.replace("\\u2717", "\\n")],
  ["raw UTF-8", plain.replace("\\u2717", "\xe2\x9c\x97")],
  ["half a surrogate pair", plain.replace("\\u2717", "\\ud83d")],
  ["an interval that ends before it begins", plain.replace("1700000005500", "1600000000000")],
  ["an outcome that is not listed", plain.replace('"denied"', '"great"')],
  ["a nested detail", plain.replace('"attempt":1', '"attempt":[1]')],
  ["details out of order", plain.replace('"attempt":1,"epoch":1', '"epoch":1,"attempt":1')],
  ["a code in lower case", plain.replace("ROTATION_POLICY", "rotation")],
  ["a subject's id of 401 characters", plain.replace("hall-1/plc-5/admin", "x".repeat(401))],
  ["a detail of 257 characters", plain.replace("answered", "x".repeat(250))],
];
/** Each way in which a text is a leaf, or none. */
export const leafCases: VectorCase[] = [
  ...goodLeaves.map(([name, text]) => ({
    name,
    expect: "ok",
    kind: "leaf",
    text,
    hash: hashLeaf(Buffer.from(text, "latin1")),
  })),
  ...badLeaves.map(([name, text]) => ({ name: `not a leaf: ${name}`, expect: "AUDIT_LEAF_MALFORMED", kind: "leaf", text })),
];
