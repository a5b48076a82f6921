import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import t from "tap";
import { type FolderVerdict, findLogFolders, verifyFolder } from "../../../agent/audit/index.ts";
import { checkpointText, cosign, encodeEntryBundle, signCheckpoint, witnessKeyName } from "../../../protocol/audit/index.ts";
import { encodeTcbor } from "../../../protocol/base/index.ts";
import { sampleSigner, signedMember } from "../../protocol/sample-vault.ts";
import { MemoryStore } from "../../support/memory-store.ts";
import { shortFolder } from "../../support/short-folder.ts";
import { fill, member, node, openRig, statements } from "./rig.ts";

/** A folder with a mirrored log of `size` leaves. */
async function mirrored(
  t: Parameters<typeof shortFolder>[0],
  size: number,
): Promise<{ data: string; log: string; store: MemoryStore }> {
  const data = shortFolder(t);
  const store = new MemoryStore();
  const { log, failures } = openRig({ store, folder: data });
  if (size > 2) fill(store, log, size - 2);
  await log.close();
  t.same(failures, []);
  return { data, log: join(data, "audit", "0"), store };
}

function verify(path: string, anchors: Uint8Array[] = [], vaultId: string | null = null): Promise<FolderVerdict> {
  return verifyFolder({
    path,
    anchors: anchors.map((bytes) => ({ bytes, source: "the anchor" })),
    vaultId,
    onProgress: () => {},
  });
}

const short = ({ findings }: FolderVerdict) => findings.map(({ code, index }) => `${code} ${index}`);

t.test("a mirrored log verifies with nothing but its folder", async (t) => {
  for (const size of [2, 255, 256, 257, 700]) {
    const { log } = await mirrored(t, size);
    const verdict = await verify(log);
    t.same([verdict.findings, verdict.size, verdict.sealedSize], [[], size, size]);
    t.match(verdict, { origin: `plant.example/tidegate/1/log/${node}/0`, node, nodeName: member.name });
    t.equal(verdict.vaultId, Buffer.from(member.vaultId).toString("hex"));
  }
});

t.test("the mirror follows checkpoint by checkpoint and leaves only the tiles of the newest", async (t) => {
  const data = shortFolder(t);
  const store = new MemoryStore();
  const rig = openRig({ store, folder: data });
  for (const count of [1, 200, 100, 300, 3]) {
    fill(store, rig.log, count);
    rig.log.checkpoint();
    await rig.mirror?.settled();
    const verdict = await verify(join(data, "audit", "0"));
    t.same([verdict.findings, verdict.sealedSize], [[], rig.log.head().size]);
  }
  const entries = readdirSync(join(data, "audit", "0", "tile", "entries"), { recursive: true })
    .map(String)
    .sort();
  t.same(
    entries.filter((name) => !name.endsWith(".p")),
    ["000", "001", "002.p/93"],
  );
  t.equal(statSync(join(data, "audit", "0", "checkpoint")).mode & 0o777, 0o600);
});

t.test("after a crash the mirror is brought up from where its checkpoint stands", async (t) => {
  const { data, log, store } = await mirrored(t, 300);
  const before = readFileSync(join(log, "checkpoint"));
  const lagging = openRig({ store });
  fill(store, lagging.log, 500);
  await lagging.log.close();
  // Bytes of a write that the crash cut off lie about.
  writeFileSync(join(log, "tile", "entries", "001.new"), "torn");
  t.same(short(await verify(log)), [], "an older whole log until then");
  t.same(readFileSync(join(log, "checkpoint")), before);
  const rig = openRig({ store, folder: data });
  await rig.log.close();
  const verdict = await verify(log);
  t.same([verdict.findings, verdict.sealedSize], [[], 804]);
  rmSync(join(log, "checkpoint"));
  t.same(short(await verify(log)), ["UNSEALED-TAIL 0"], "entries were written, their checkpoint not yet");
});

t.test("a mirror of another history is put aside, not overwritten", async (t) => {
  const { data, log } = await mirrored(t, 40);
  for (const copy of [1, 2]) {
    const store = new MemoryStore();
    const other = openRig({ store, folder: data });
    fill(store, other.log, copy);
    await other.log.close();
    t.same((await verify(log)).findings, []);
    t.ok(existsSync(`${log}.other-${copy}`));
    if (copy === 1) t.equal((await verify(`${log}.other-1`)).size, 40, "the evidence stays");
  }
  t.same(findLogFolders(data), [log]);
});

t.test("data folder, audit folder, a log's own folder and copies of them are found; anything else is an error", async (t) => {
  const { data, log } = await mirrored(t, 5);
  for (const path of [data, join(data, "audit"), log]) t.same(findLogFolders(path), [log]);
  const copy = shortFolder(t);
  cpSync(log, copy, { recursive: true });
  t.same(findLogFolders(copy), [copy]);
  t.same((await verify(copy)).findings, []);
  const empty = shortFolder(t);
  const hollow = join(shortFolder(t), "audit", "0");
  mkdirSync(join(hollow, "tile"), { recursive: true });
  const file = join(shortFolder(t), "file");
  writeFileSync(file, "x");
  for (const path of [empty, join(empty, "missing"), file])
    t.throws(() => findLogFolders(path), { code: "AUDIT_FOLDER_UNREADABLE" }, path);
  await t.rejects(verify(hollow), { code: "AUDIT_FOLDER_EMPTY" }, "tiles without entries");
});

t.test("files that cannot be what they say are errors", async (t) => {
  const cases: [string, string, (log: string) => void][] = [
    ["AUDIT_FOLDER_KEYS", "no member statement", (log) => rmSync(join(log, "member.cbor"))],
    ["AUDIT_FOLDER_KEYS", "no root documents", (log) => rmSync(join(log, "roots.cbor"))],
    ["AUDIT_FOLDER_KEYS", "an empty chain of roots", (log) => writeFileSync(join(log, "roots.cbor"), encodeTcbor([]))],
    ["AUDIT_FOLDER_KEYS", "roots that are no TCBOR", (log) => writeFileSync(join(log, "roots.cbor"), "x")],
    [
      "AUDIT_FOLDER_KEYS",
      "a member statement that a stranger signed",
      (log) => writeFileSync(join(log, "member.cbor"), signedMember().with(-1, 0)),
    ],
    [
      "AUDIT_FOLDER_KEYS",
      "a root where the member statement belongs",
      (log) => writeFileSync(join(log, "member.cbor"), statements.roots[0] as Uint8Array),
    ],
    ["AUDIT_FOLDER_UNREADABLE", "a link to a member statement", (log) => relink(join(log, "member.cbor"))],
    [
      "AUDIT_FOLDER_UNREADABLE",
      "an entry bundle of 3 MB",
      (log) => truncateSync(join(log, "tile", "entries", "000.p", "20"), 3_000_000),
    ],
  ];
  for (const [code, name, damage] of cases) {
    const { log } = await mirrored(t, 20);
    damage(log);
    await t.rejects(verify(log), { code }, name);
  }
  const { log } = await mirrored(t, 20);
  await t.rejects(verify(log, [], "00".repeat(32)), { code: "AUDIT_FOLDER_KEYS" }, "another vault than the auditor expects");
  t.same((await verify(log, [], Buffer.from(member.vaultId).toString("hex"))).findings, []);
});

function relink(path: string): void {
  cpSync(path, `${path}.real`);
  rmSync(path);
  symlinkSync(`${path}.real`, path);
}

t.test("tampering with any file is named", async (t) => {
  const entries = (log: string) => join(log, "tile", "entries");
  const cases: [string[], string, (log: string) => void][] = [
    [["EDIT 5"], "a byte of an entry", (log) => flip(join(entries(log), "000"), offsetOf(join(entries(log), "000"), 5) + 60)],
    [["DELETE 0"], "a whole bundle", (log) => rmSync(join(entries(log), "000"))],
    [["TRUNCATED 256"], "the last bundle", (log) => rmSync(join(entries(log), "001.p"), { recursive: true })],
    [["TRUNCATED 299"], "the last entry", (log) => rewrite(join(entries(log), "001.p", "44"), 43)],
    [["EDIT 299"], "the last byte", (log) => cut(join(entries(log), "001.p", "44"), 1)],
    [["EDIT 0"], "a hash tile", (log) => flip(join(log, "tile", "0", "000"), 100)],
    [["EDIT 256"], "a partial hash tile", (log) => flip(join(log, "tile", "0", "001.p", "44"), 100)],
    [["EDIT 0"], "a hash tile of the level above", (log) => flip(join(log, "tile", "1", "000.p", "1"), 3)],
    [["KEY-EPOCH 0", "UNSEALED-TAIL 0"], "a byte of the checkpoint", (log) => flip(join(log, "checkpoint"), 110)],
  ];
  for (const [expected, name, damage] of cases) {
    const { log } = await mirrored(t, 300);
    damage(log);
    t.same(short(await verify(log)), expected, name);
  }
});

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] as number) ^ 1;
  writeFileSync(path, bytes);
}

function cut(path: string, count: number): void {
  writeFileSync(path, readFileSync(path).subarray(0, -count));
}

/** Offset of an entry's first byte in a bundle. */
function offsetOf(path: string, index: number): number {
  const bytes = readFileSync(path);
  let at = 0;
  for (let entry = 0; entry < index; entry += 1) at += 2 + bytes.readUInt16BE(at);
  return at + 2;
}

/** Keeps the first `count` entries of a bundle. */
function rewrite(path: string, count: number): void {
  writeFileSync(path, readFileSync(path).subarray(0, offsetOf(path, count) - 2));
}

t.test("an anchor shows what was cut, and is refused where it is none", async (t) => {
  const data = shortFolder(t);
  const store = new MemoryStore();
  const rig = openRig({ store, folder: data });
  fill(store, rig.log, 20);
  await rig.mirror?.settled();
  const log = join(data, "audit", "0");
  const young = join(shortFolder(t), "young");
  cpSync(log, young, { recursive: true });
  fill(store, rig.log, 30);
  await rig.log.close();
  const anchor = readFileSync(join(log, "checkpoint"));
  t.same(short(await verify(young)), [], "the older folder looks whole");
  t.same(short(await verify(young, [anchor])), ["TRUNCATED 1"]);
  t.same(short(await verify(log, [readFileSync(join(young, "checkpoint"))])), []);
  const keys = { log: sampleSigner(33), epoch: sampleSigner(34), epochNumber: 0 };
  const head = { size: 1, root: new Uint8Array(32) };
  const origin = `plant.example/tidegate/1/log/${node}/0`;
  t.same(short(await verify(log, [signCheckpoint(origin, head, keys)])), ["FORK 0"]);
  for (const [name, bytes] of [
    ["no note", encodeEntryBundle([anchor])],
    ["another node's", signCheckpoint(origin.replace(node, "a".repeat(32)), head, keys)],
    ["another serial's", signCheckpoint(origin.replace(/0$/, "1"), head, keys)],
    ["signed by another key", signCheckpoint(origin, head, { ...keys, log: sampleSigner(35) })],
    ["changed", Buffer.from(anchor.toString().replace("\n52\n", "\n53\n"))],
  ] as const) {
    await t.rejects(verify(log, [bytes]), { code: "AUDIT_ANCHOR_INVALID" }, name);
  }
});

t.test("a damaged file turns no good anchor away, and without any checkpoint the anchor tells which log it is", async (t) => {
  const data = shortFolder(t);
  const store = new MemoryStore();
  const { log } = openRig({ store, folder: data });
  fill(store, log, 20);
  await log.sealEpoch([]);
  fill(store, log, 30);
  await log.close();
  const folder = join(data, "audit", "0");
  const anchor = readFileSync(join(folder, "checkpoint"));
  const final = join(folder, "epochs", "0");
  const genuine = readFileSync(final, "latin1");
  const from = Number(genuine.split("\n")[1]);
  const keys = { log: sampleSigner(33), epoch: sampleSigner(34), epochNumber: 0 };
  const origin = `plant.example/tidegate/1/log/${node}/0`;
  t.same(short(await verify(folder, [anchor])), []);
  writeFileSync(final, genuine.replace(node, "a".repeat(32)), "latin1");
  t.same(short(await verify(folder, [anchor])), ["KEY-EPOCH 0", `EPOCH-GAP ${from}`], "its first line");
  writeFileSync(final, signCheckpoint(origin.replace(/0$/, "1"), { size: 1, root: new Uint8Array(32) }, keys));
  t.same(short(await verify(folder, [anchor])), ["KEY-EPOCH 0", `EPOCH-GAP ${from}`], "a genuine one of another log");
  writeFileSync(final, genuine, "latin1");
  writeFileSync(join(folder, "checkpoint"), anchor.toString().replace("plant", "plane"));
  t.same(short(await verify(folder, [anchor])), ["KEY-EPOCH 0"], "the newest checkpoint");
  rmSync(join(folder, "checkpoint"));
  rmSync(join(folder, "epochs"), { recursive: true });
  const bare = await verify(folder, [anchor]);
  t.same([short(bare), bare.origin], [[`EPOCH-GAP ${from}`], origin], "no checkpoint at all");
  const other = signCheckpoint(origin.replace(/0$/, "1"), { size: 1, root: new Uint8Array(32) }, keys);
  await t.rejects(verify(folder, [anchor, other]), { code: "AUDIT_ANCHOR_INVALID" }, "anchors of two logs");
  const domain = signCheckpoint(origin.replace("plant", "plane"), { size: 1, root: new Uint8Array(32) }, keys);
  await t.rejects(verify(folder, [domain]), { code: "AUDIT_ANCHOR_INVALID" }, "an anchor of another trust domain");
});

t.test("a head that the vault's witness key cosigned is an anchor, and no other key's is", async (t) => {
  const data = shortFolder(t);
  const store = new MemoryStore();
  const { log } = openRig({ store, folder: data });
  fill(store, log, 50);
  await log.close();
  const folder = join(data, "audit", "0");
  const origin = `plant.example/tidegate/1/log/${node}/0`;
  const name = witnessKeyName("plant.example", node);
  const witnessed = (size: number, root: Uint8Array, byte: number) =>
    cosign(checkpointText(origin, { size, root }), 1_795_000_000, { name, key: sampleSigner(byte) });
  const { size, root } = log.head();
  t.same(short(await verify(folder, [witnessed(size, root, 45)])), []);
  t.same(short(await verify(folder, [witnessed(size + 1, root, 45)])), [`TRUNCATED ${size}`]);
  t.same(short(await verify(folder, [witnessed(size - 1, root, 45)])), ["FORK 0"]);
  await t.rejects(verify(folder, [witnessed(size, root, 46)]), { code: "AUDIT_ANCHOR_INVALID" });
  const changed = Buffer.from(
    Buffer.from(witnessed(size, root, 45))
      .toString()
      .replace(`\n${size}\n`, `\n${size - 1}\n`),
  );
  await t.rejects(verify(folder, [changed]), { code: "AUDIT_ANCHOR_INVALID" });
  mkdirSync(join(data, "cosigned"));
  const beside = [data];
  const options = { path: folder, anchors: [], vaultId: null, beside, onProgress: () => {} };
  writeFileSync(join(data, "cosigned", node), witnessed(size - 1, root, 45));
  t.same(short(await verifyFolder(options)), ["FORK 0"], "beside another log it is compared too");
  writeFileSync(join(data, "cosigned", node), witnessed(size + 1, root, 45));
  t.same(short(await verifyFolder(options)), [], "a newer one only says that the copy is older");
});
