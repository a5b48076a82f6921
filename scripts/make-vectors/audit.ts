// Writes protocol/vectors/audit.json.
import {
  buildProof,
  checkpointText,
  cosign,
  emptyTree,
  encodeEntryBundle,
  encodeLeaf,
  hashLeaf,
  type LeafPlace,
  leafOf,
  planConsistency,
  planInclusion,
  rootOf,
  sequence,
  witnessKeyName,
} from "../../protocol/audit/index.ts";
import { concat, toHex } from "../../protocol/base/index.ts";
import { signingKeyFromSeed } from "../../protocol/keys/index.ts";
import {
  epochKeys,
  eventAt,
  leafAt,
  logKey,
  node,
  origin,
  sampleLog,
  successionAt,
} from "../../test/protocol/audit/sample-log.ts";
import type { VectorCase } from "../vectors-check/vector-file.ts";
import { writeVectors } from "./write-vectors.ts";

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

/** The same case with its byte strings in hexadecimal; a Buffer would write itself as an object. */
function hexed(vector: VectorCase): VectorCase {
  const fields = Object.entries(vector).map(([field, value]) => [field, value instanceof Uint8Array ? toHex(value) : value]);
  return Object.fromEntries(fields) as VectorCase;
}

/* Leaves. */

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
const leafCases: VectorCase[] = [
  ...goodLeaves.map(([name, text]) => ({
    name,
    expect: "ok",
    kind: "leaf",
    text,
    hash: hashLeaf(Buffer.from(text, "latin1")),
  })),
  ...badLeaves.map(([name, text]) => ({ name: `not a leaf: ${name}`, expect: "AUDIT_LEAF_MALFORMED", kind: "leaf", text })),
];

/* Trees and proofs: the leaves of the Certificate Transparency reference implementation, then 256 more. */

const reference = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const leaves = [
  ...reference.map((hex) => Buffer.from(hex, "hex")),
  ...Array.from({ length: 248 }, (_, index) => Buffer.from(`leaf ${index + 8}`)),
];
const tile = concat(...leaves.map(hashLeaf));
const head = (size: number) => rootOf(sequence(emptyTree, leaves.slice(0, size)).state);
const hexOf = (size: number) => leaves.slice(0, size).map((leaf) => toHex(leaf));
const treeCases: VectorCase[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 255, 256].map((size) => ({
  name: `the root over ${size} leaves`,
  expect: "ok",
  kind: "tree",
  leaves: hexOf(size),
  root: head(size),
}));
const inclusions = [
  [0, 1],
  [0, 8],
  [5, 8],
  [2, 3],
  [1, 5],
  [7, 8],
  [6, 7],
  [200, 256],
].map(([index, size]) => {
  const [at, of] = [index as number, size as number];
  const proof = buildProof(planInclusion(at, of), () => tile).map((hash) => toHex(hash));
  return { kind: "inclusion", index: at, size: of, leafHash: hashLeaf(leaves[at] as Uint8Array), root: head(of), proof };
});
const consistencies = [
  [0, 5],
  [1, 1],
  [1, 8],
  [6, 8],
  [2, 5],
  [4, 8],
  [7, 8],
  [3, 256],
].map(([first, second]) => {
  const [from, to] = [first as number, second as number];
  const proof = buildProof(planConsistency(from, to), () => tile).map((hash) => toHex(hash));
  return { kind: "consistency", first: from, second: to, firstRoot: head(from), secondRoot: head(to), proof };
});
const zero = "00".repeat(32);
const proofCases: VectorCase[] = [
  ...inclusions.map((one) => ({
    name: `leaf ${one.index} is in the tree of ${one.size}`,
    expect: "ok",
    ...one,
    leaves: hexOf(one.size),
  })),
  ...consistencies.map((one) => ({
    name: `${one.first} leaves are a beginning of ${one.second}`,
    expect: "ok",
    ...one,
    leaves: hexOf(one.second),
  })),
  ...inclusions.slice(1).flatMap((one) => [
    {
      name: `leaf ${one.index} in ${one.size}: a hash too few`,
      expect: "AUDIT_PROOF_INVALID",
      ...one,
      proof: one.proof.slice(1),
    },
    {
      name: `leaf ${one.index} in ${one.size}: a hash too many`,
      expect: "AUDIT_PROOF_INVALID",
      ...one,
      proof: [...one.proof, zero],
    },
    { name: `leaf ${one.index} in ${one.size}: another leaf`, expect: "AUDIT_PROOF_INVALID", ...one, leafHash: zero },
  ]),
  ...consistencies.slice(2).flatMap((one) => [
    { name: `${one.first} in ${one.second}: a hash too few`, expect: "AUDIT_PROOF_INVALID", ...one, proof: one.proof.slice(1) },
    {
      name: `${one.first} in ${one.second}: a hash too many`,
      expect: "AUDIT_PROOF_INVALID",
      ...one,
      proof: [...one.proof, zero],
    },
    { name: `${one.first} in ${one.second}: another old root`, expect: "AUDIT_PROOF_INVALID", ...one, firstRoot: zero },
    { name: `${one.first} in ${one.second}: another new root`, expect: "AUDIT_PROOF_INVALID", ...one, secondRoot: zero },
  ]),
];

/* Tiles. */

const tileCases: VectorCase[] = [
  ...(
    [
      ["tile/0/000", { level: 0, index: 0, width: 256 }],
      ["tile/0/x001/x234/067", { level: 0, index: 1_234_067, width: 256 }],
      ["tile/63/x001/000.p/255", { level: 63, index: 1000, width: 255 }],
      ["tile/entries/999.p/1", { level: "entries", index: 999, width: 1 }],
    ] as const
  ).map(([path, at]) => ({ name: `the path ${path}`, expect: "ok", kind: "tile path", path, place: at })),
  ...[
    "tile/0/67",
    "tile/0/x000/067",
    "tile/00/067",
    "tile/64/067",
    "tile/0/067.p/0",
    "tile/0/067.p/256",
    "tile/0/067.p/01",
    "tile/entries/x067",
    "../tile/0/067",
  ].map((path) => ({
    name: `no path: ${path}`,
    expect: "AUDIT_TILE_PATH",
    kind: "tile path",
    path,
  })),
];
const bundle = encodeEntryBundle(leaves.slice(1, 4));
const bundleCases: VectorCase[] = [
  { name: "an entry bundle of three", expect: "ok", kind: "entry bundle", bytes: bundle, leaves: hexOf(4).slice(1) },
  ...(
    [
      ["empty", new Uint8Array(0)],
      ["cut in a length", bundle.subarray(0, 4)],
      ["cut in an entry", bundle.subarray(0, -1)],
      ["of 257", new Uint8Array(514)],
      ["with an entry of 8,193 bytes", concat(Uint8Array.of(0x20, 0x01), new Uint8Array(8193))],
    ] as const
  ).map(([name, bytes]) => ({ name: `no entry bundle: ${name}`, expect: "AUDIT_TILE_MALFORMED", kind: "entry bundle", bytes })),
];

/* Checkpoints. */

const [note] = sampleLog({ size: 5 }).checkpoints as [Uint8Array];
const noteText = Buffer.from(note).toString();
const signers = [
  { name: origin, publicKey: toHex(logKey.publicKey) },
  { name: `${origin}/epoch/0`, publicKey: toHex((epochKeys[0] as typeof logKey).publicKey) },
];
const checkpoint = { kind: "checkpoint", signers, origin, size: 5, root: head5() };
function head5(): Uint8Array {
  return rootOf(sequence(emptyTree, sampleLog({ size: 5 }).leaves).state);
}
const signature = noteText.split("\n")[4] as string;
const checkpointCases: VectorCase[] = [
  { name: "a checkpoint by the log key and the key of epoch 0", expect: "ok", ...checkpoint, text: noteText },
  {
    name: "a checkpoint with a signature of a stranger",
    expect: "ok",
    ...checkpoint,
    text: `${noteText}— stranger.example AAAAAAAA\n`,
  },
  ...(
    [
      ["another size", noteText.replace("\n5\n", "\n6\n")],
      ["another root", noteText.replace(/\n[A-Za-z0-9+/]{43}=\n/, `\n${"A".repeat(43)}=\n`)],
    ] as const
  ).map(([name, text]) => ({ name: `a signature over ${name}`, expect: "AUDIT_CHECKPOINT_UNSIGNED", ...checkpoint, text })),
  ...(
    [
      ["no signatures", noteText.split("\n\n")[0] as string],
      ["no last newline", noteText.slice(0, -1)],
      ["carriage returns", noteText.replaceAll("\n", "\r\n")],
      ["an extension line", noteText.replace("\n\n", "\nmore\n\n")],
      ["a size with a leading zero", noteText.replace("\n5\n", "\n05\n")],
      ["a size of 2^53", noteText.replace("\n5\n", "\n9007199254740992\n")],
      ["a root of 31 bytes", noteText.replace(/\n[A-Za-z0-9+/]{43}=\n/, `\n${Buffer.alloc(31).toString("base64")}\n`)],
      ["unused bits in the root's base64", noteText.replace(/\n[A-Za-z0-9+/]{43}=\n/, `\n${"A".repeat(42)}B=\n`)],
      ["a hyphen before a signature", noteText.replace("— ", "- ")],
      ["65 signatures", noteText + `${signature}\n`.repeat(63)],
    ] as const
  ).map(([name, text]) => ({ name: `no checkpoint: ${name}`, expect: "AUDIT_CHECKPOINT_MALFORMED", ...checkpoint, text })),
];

/* Cosignatures. */

const witness = signingKeyFromSeed(new Uint8Array(32).fill(20));
const witnessName = witnessKeyName("plant.example", node);
const cosigned = Buffer.from(
  cosign(checkpointText(origin, { size: 5, root: head5() }), 1_795_000_000, { name: witnessName, key: witness }),
).toString();
const cosignature = { kind: "cosignature", name: "", text: "", key: toHex(witness.publicKey), witness: witnessName };
const cosignatureCases: VectorCase[] = [
  { ...cosignature, name: "a head under a witness's key", expect: "ok", text: cosigned, time: 1_795_000_000 },
  { ...cosignature, name: "a head under another name", expect: "ok", text: cosigned, witness: `${witnessName}x`, time: null },
  {
    ...cosignature,
    name: "a cosignature over another size",
    expect: "AUDIT_CHECKPOINT_UNSIGNED",
    text: cosigned.replace("\n5\n", "\n6\n"),
  },
  {
    ...cosignature,
    name: "a cosignature at another time",
    expect: "AUDIT_CHECKPOINT_UNSIGNED",
    text: cosigned.replace(/[A-Za-z0-9+/=]+\n$/, (line) => {
      const bytes = Buffer.from(line, "base64");
      bytes.writeUInt8((bytes[11] ?? 0) ^ 1, 11);
      return `${bytes.toString("base64")}\n`;
    }),
  },
];

writeVectors("audit", {
  area: "audit",
  about:
    "Leaves (text in ISO 8859-1), RFC 6962 roots and proofs (the first eight leaves are those of the Certificate Transparency reference implementation), C2SP tile paths, entry bundles, checkpoints and cosignatures.",
  cases: [...leafCases, ...treeCases, ...proofCases, ...tileCases, ...bundleCases, ...checkpointCases, ...cosignatureCases].map(
    hexed,
  ),
});
