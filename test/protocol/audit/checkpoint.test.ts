import t from "tap";
import {
  decodeCheckpoint,
  decodeEntryBundle,
  decodeNote,
  encodeEntryBundle,
  epochOfKeyName,
  judgePeerHead,
  maxLeafBytes,
  maxNoteBytes,
  noteKeyId,
  originOf,
  parseOrigin,
  parseTilePath,
  signNote,
  tilePath,
  tilesBetween,
  verifyNote,
} from "../../../protocol/audit/index.ts";
import { toHex, utf8 } from "../../../protocol/base/index.ts";
import { importVerifyKey, signingKeyFromSeed } from "../../../protocol/keys/index.ts";
import { logKey, node, origin, sampleLog } from "./sample-log.ts";

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8");
const [checkpoint] = sampleLog({ size: 5 }).checkpoints as [Uint8Array];
const known = { name: origin, key: importVerifyKey(logKey.publicKey) };

t.test("a note signed by others' tools verifies here", async (t) => {
  // From the documentation of golang.org/x/mod/sumdb/note.
  const note = decodeNote(
    utf8(
      "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n" +
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n",
    ),
  );
  const raw = Buffer.from("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "base64");
  t.equal(raw[0], 1);
  t.equal(toHex(noteKeyId("PeterNeumann", raw.subarray(1))), "c74f20a3");
  t.ok(verifyNote(note, { name: "PeterNeumann", key: importVerifyKey(raw.subarray(1)) }));
});

t.test("a checkpoint says origin, size and root, signed by the log key and the epoch key", async (t) => {
  const read = decodeCheckpoint(checkpoint);
  t.match(textOf(checkpoint), new RegExp(`^plant\\.example/tidegate/1/log/${node}/0\n5\n[A-Za-z0-9+/]{43}=\n\n— `));
  t.same([read.origin, read.size, read.root.length], [origin, 5, 32]);
  t.same(
    read.note.signatures.map((one) => one.name),
    [origin, `${origin}/epoch/0`],
  );
  t.ok(verifyNote(read.note, known));
  t.notOk(verifyNote(read.note, { ...known, name: `${origin}/other` }), "an unknown name is no signature");
  const resigned = decodeNote(Buffer.from(textOf(checkpoint).replace("\n5\n", "\n6\n")));
  t.throws(() => verifyNote(resigned, known), { code: "AUDIT_CHECKPOINT_UNSIGNED" });
});

t.test("what is not exactly a checkpoint is refused", async (t) => {
  const good = textOf(checkpoint);
  const signature = good.split("\n")[4] as string;
  const refused: Record<string, string> = {
    nothing: "",
    "no signatures": good.split("\n\n")[0] as string,
    "no last newline": good.slice(0, -1),
    "a carriage return": good.replace("\n5\n", "\r\n5\r\n"),
    "a control character": good.replace("plant", "pla\u0001nt"),
    "an extension line": good.replace("\n\n", "\nmore\n\n"),
    "a line too few": good.replace("\n5\n", "\n"),
    "a size with a leading zero": good.replace("\n5\n", "\n05\n"),
    "a size above 2^53 - 1": good.replace("\n5\n", "\n9007199254740992\n"),
    "a root of 31 bytes": good.replace(/\n[A-Za-z0-9+/]{43}=\n/, `\n${Buffer.alloc(31).toString("base64")}\n`),
    "a root in another base64": good.replace(/\n[A-Za-z0-9+/]{43}=\n/, `\n${"A".repeat(42)}B=\n`),
    "a signature line without a dash": good.replace("— ", "- "),
    "a signature of four bytes": good.replace(signature, `— ${origin} AAAAAA==`),
    "a key name with a plus sign": good.replace(signature, signature.replace("plant", "pla+nt")),
    "65 signatures": good + `${signature}\n`.repeat(63),
    "too many bytes": `${"x".repeat(maxNoteBytes)}${good}`,
  };
  for (const [name, note] of Object.entries(refused)) {
    t.not(note, good, name);
    t.throws(() => decodeCheckpoint(Buffer.from(note)), { code: "AUDIT_CHECKPOINT_MALFORMED" }, name);
  }
  t.throws(() => decodeCheckpoint(Buffer.of(0xff)), { code: "AUDIT_CHECKPOINT_MALFORMED" }, "not UTF-8");
  t.ok(decodeCheckpoint(Buffer.from(good + `${signature}\n`.repeat(62))), "64 signatures are read");
  const wide = signNote("x\n", [{ name: "a", key: signingKeyFromSeed(new Uint8Array(32)) }]);
  for (const extra of [-1, 0]) t.ok(decodeNote(Buffer.concat([Buffer.alloc(maxNoteBytes - wide.length + extra, "x"), wide])));
});

t.test("origins name a trust domain, a node and the how manieth of its logs", async (t) => {
  t.same(parseOrigin(origin), { trustDomain: "plant.example", node, serial: 0 });
  t.equal(originOf({ trustDomain: "a", node, serial: 3 }), `a/tidegate/1/log/${node}/3`);
  const wrong = [
    "",
    `${origin}1/x`,
    origin.replace("plant", "Plant"),
    `${origin.slice(0, -1)}01`,
    origin.replace("/1/", "/2/"),
  ];
  for (const text of wrong) t.throws(() => parseOrigin(text), { code: "AUDIT_ORIGIN_MALFORMED" }, text);
  for (const [name, epoch] of [
    [`${origin}/epoch/12`, 12],
    [`${origin}/epoch/012`, null],
    [`${origin}/epoch/`, null],
    [origin, null],
  ] as const) {
    t.equal(epochOfKeyName(origin, name), epoch);
  }
});

t.test("tiles have the paths of tlog-tiles", async (t) => {
  for (const [path, place] of [
    ["tile/0/x001/x234/067", { level: 0, index: 1_234_067, width: 256 }],
    ["tile/entries/000.p/1", { level: "entries", index: 0, width: 1 }],
    ["tile/63/x001/000.p/255", { level: 63, index: 1000, width: 255 }],
  ] as const) {
    t.equal(tilePath(place), path);
    t.same(parseTilePath(path), place);
  }
  const wrong = [
    "tile/0/67",
    "tile/0/x000/067",
    "tile/00/067",
    "tile/64/067",
    "tile/0/067.p/0",
    "tile/0/067.p/256",
    "tile/0/067.p/01",
    "tile/entries/x067",
    "tile/x/067",
    "../tile/0/067",
    "tile/0/x999/x999/x999/x999/x999/999",
  ];
  for (const path of wrong) t.throws(() => parseTilePath(path), { code: "AUDIT_TILE_PATH" }, path);
  const count = (level: number | "entries", width: number) =>
    tilesBetween(0, 70_000).filter((place) => place.level === level && place.width === width).length;
  t.same(
    [count(0, 256), count(0, 112), count(1, 256), count(1, 17), count(2, 1), count("entries", 256), count("entries", 112)],
    [273, 1, 1, 1, 1, 273, 1],
    "the example of the specification",
  );
  t.same(tilesBetween(256, 256), []);
  t.same(tilesBetween(255, 256).map(tilePath), ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]);
  t.same(tilesBetween(256, 258).map(tilePath), ["tile/0/001.p/2", "tile/entries/001.p/2"]);
});

t.test("an entry bundle holds leaves behind their lengths", async (t) => {
  const leaves = [Buffer.from("a"), Buffer.alloc(maxLeafBytes, "b"), Buffer.alloc(0)];
  const bundle = encodeEntryBundle(leaves);
  t.equal(toHex(bundle.subarray(0, 5)), "0001612000");
  t.same(
    decodeEntryBundle(bundle).map((leaf) => Buffer.from(leaf)),
    leaves,
  );
  t.equal(decodeEntryBundle(Buffer.alloc(512)).length, 256);
  const wrong: [string, Uint8Array][] = [
    ["empty", Buffer.alloc(0)],
    ["cut in a length", bundle.subarray(0, 4)],
    ["cut in a leaf", bundle.subarray(0, 100)],
    ["of 257 leaves", Buffer.alloc(514)],
    ["with a leaf of 8193 bytes", Buffer.concat([Buffer.of(0x20, 1), Buffer.alloc(8193)])],
  ];
  for (const [name, bytes] of wrong) t.throws(() => decodeEntryBundle(bytes), { code: "AUDIT_TILE_MALFORMED" }, name);
});

t.test("a peer's head is believed only with its proof", async (t) => {
  const old = decodeCheckpoint(sampleLog({ size: 4 }).checkpoints[0] as Uint8Array);
  const next = decodeCheckpoint(checkpoint);
  const head = (serial: number, { size, root }: typeof old) => ({ serial, size, root });
  const other = { ...head(0, next), root: new Uint8Array(32) };
  const proof = { serial: 0, from: 4, hashes: [sampleLog({ size: 5 }).hashes[4] as Uint8Array] };
  for (const [verdict, held, told, given] of [
    ["proven", null, head(0, next), null],
    ["proven", head(0, old), head(0, next), proof],
    ["same", head(0, next), head(0, next), null],
    ["unproven", head(0, old), head(0, next), null],
    ["unproven", head(0, old), head(0, next), { ...proof, from: 3 }],
    ["shorter", head(0, next), head(0, old), null],
    ["shorter", head(1, old), head(0, next), null],
    ["reopened", head(0, next), head(1, old), null],
    ["forked", head(0, next), other, null],
    ["forked", head(0, old), other, proof],
  ] as const) {
    t.equal(judgePeerHead(held, told, given), verdict);
  }
});
