import t from "tap";
import { encodeCarrier, signEnvelope } from "../../../protocol/envelope/index.ts";
import { signingKeyFromSeed } from "../../../protocol/keys/index.ts";
import {
  decodeManifest,
  type MediaFile,
  mediaFileName,
  mediaLimits,
  parseMediaFileName,
  signManifest,
} from "../../../protocol/media/index.ts";

const signing = signingKeyFromSeed(new Uint8Array(32).fill(1));
const head = { vaultId: new Uint8Array(32), nodeId: signing.keyId, writeId: new Uint8Array(16), written: { lo: 1, hi: 2 } };

function files(count: number, length = 1): MediaFile[] {
  return Array.from({ length: count }, (_, i) => {
    const id = new Uint8Array(32);
    new DataView(id.buffer).setUint32(0, i);
    return { kind: "bundle", id, recipient: new Uint8Array(20), length, hash: new Uint8Array(32) };
  });
}

t.test("a manifest takes as many files as the limit says, in any order, and gives them back in theirs", async (t) => {
  for (const count of [0, 1, mediaLimits.files - 1, mediaLimits.files]) {
    const bytes = signManifest({ ...head, files: files(count).reverse() }, signing, []);
    t.same(decodeManifest(bytes), { ...decodeManifest(bytes), ...head, files: files(count) });
  }
  t.throws(() => signManifest({ ...head, files: files(mediaLimits.files + 1) }, signing, []), /few enough/);
});

t.test("files together have as many bytes as the limit says, and no more", async (t) => {
  const most = mediaLimits.folderBytes / mediaLimits.itemBytes;
  const of = (all: MediaFile[]) => signManifest({ ...head, files: all }, signing, []);
  t.equal(decodeManifest(of(files(most, mediaLimits.itemBytes))).files.length, most);
  const over = [...files(most, mediaLimits.itemBytes), { ...files(1)[0], kind: "report" } as MediaFile];
  t.throws(() => decodeManifest(of(over)), { code: "MANIFEST_TOO_LARGE" });
});

t.test("a manifest of more bytes than the limit is refused before it is read", async (t) => {
  const envelope = signEnvelope("manifest", new Uint8Array(1), [signing]);
  const empty = encodeCarrier({ statements: [], envelope, body: new Uint8Array(70_000) }).length - 70_000;
  for (const [over, code] of [
    [0, "MANIFEST_MALFORMED"],
    [1, "MANIFEST_TOO_LARGE"],
  ] as const) {
    const body = new Uint8Array(mediaLimits.manifestBytes - empty + over);
    t.throws(() => decodeManifest(encodeCarrier({ statements: [], envelope, body })), { code });
  }
});

t.test("a file's name says what it is, and no other name does", async (t) => {
  const file = { kind: "notice", id: new Uint8Array(32).fill(0xab) } as const;
  t.same(parseMediaFileName(mediaFileName(file)), file);
  const digits = "ab".repeat(32);
  const others = [
    "MANIFEST",
    `${digits}.exe`,
    `${digits.toUpperCase()}.notice`,
    `${digits.slice(2)}.notice`,
    `../${digits}.notice`,
  ];
  for (const name of [...others, `${digits}.notice.new`, `${digits}.notice/..`, ""])
    t.equal(parseMediaFileName(name), null, name);
});
