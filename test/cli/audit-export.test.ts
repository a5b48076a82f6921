import { hash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { decodeLeaf } from "../../protocol/audit/index.ts";
import { member, node, rotated } from "../agent/audit/rig.ts";
import { shortFolder } from "../support/short-folder.ts";
import { nodeWith, run } from "./export-rig.ts";

const verify = async (path: string, ...options: string[]) => run(["audit", "verify", path, ...options]);

t.test("an export is whole, says what it is, and verifies alone from the mount", async (t) => {
  const { exported, mount, log, store } = await nodeWith(t, 300);
  store.transaction((tx) => log.acknowledge(tx, log.head()));
  const first = await exported("--person", "Kim");
  t.match(first, { from: 0, size: 302 }, "the entries, the one about the export and the next epoch's");
  const verified = await verify(mount);
  t.equal(verified.exit, 0, verified.stdout);
  t.match(verified.stdout, /302, of which 302 are sealed\n.*\nOK: every entry is sealed/s);
  t.match(JSON.parse((await verify(mount, "--json")).stdout), [{ ok: true, damaged: [] }]);
  const names = readdirSync(first.folder).sort();
  t.same(names, [
    "MANIFEST",
    "checkpoint",
    "checkpoint.png",
    "cosigned",
    "custody.json",
    "entries.jsonl",
    "epochs",
    "keys.jsonl",
    "member.cbor",
    "proof.json",
    "roots.cbor",
    "summary.csv",
    "summary.html",
    "tile",
  ]);
  const read = (name: string) => readFileSync(join(first.folder, name), "utf8");
  const lines = read("entries.jsonl").trimEnd().split("\n");
  t.equal(lines.length, 302);
  const leaf = decodeLeaf(Buffer.from(lines[300] ?? "", "latin1"));
  t.match(leaf, { action: "audit.export", outcome: "unknown", details: { from: 0, person: "Kim" } });
  t.match(JSON.parse(read("custody.json")), { node, name: member.name, size: 302, person: "Kim" });
  t.match(JSON.parse(read("proof.json")), { from: { size: 300 }, to: 302 });
  t.match(read("summary.csv"), /^device,account,/);
  t.match(read("summary.csv"), /line-4\/plc-1,admin,299,/);
  t.match(read("summary.html"), /line-4\/plc-1<\/bdi>.*<bdi>admin/s);
  t.notMatch(read("summary.html"), /<script|<link|<img|http:|src=/i);
  const after = log.leaves(302, 10).map((bytes) => decodeLeaf(bytes));
  t.match(after, [{ action: "audit.export", outcome: "ok", details: { from: 0, size: 302 } }], "the log says how it ended");
});

t.test("each tampering with an export is found, and what entries do not prove is told apart", async (t) => {
  const { exported } = await nodeWith(t, 300);
  const { folder } = await exported();
  const cases: [number, RegExp, (copy: string) => void][] = [
    [101, /^EDIT at 7: .*entries\.jsonl/m, (copy) => edit(join(copy, "entries.jsonl"), '"index":7,', '"index":8,')],
    [101, /^EDIT at 302: .*entries\.jsonl/m, (copy) => append(join(copy, "entries.jsonl"), "{}\n")],
    [101, /^EDIT at 7: /m, (copy) => edit(join(copy, "tile/entries/000"), '"index":7,', '"index":8,')],
    [104, /^TRUNCATED at 256: /m, (copy) => rmSync(join(copy, "tile/entries/001.p"), { recursive: true })],
    [106, /^EPOCH-GAP at 301: /m, (copy) => rmSync(join(copy, "epochs"), { recursive: true })],
    [65, /^DAMAGED summary\.html is not the file that MANIFEST lists$/m, (copy) => append(join(copy, "summary.html"), "x")],
    [65, /^DAMAGED custody\.json is missing, and MANIFEST lists it$/m, (copy) => rmSync(join(copy, "custody.json"))],
    [65, /^DAMAGED MANIFEST is missing$/m, (copy) => rmSync(join(copy, "MANIFEST"))],
    [65, /^DAMAGED summary\.csv is not listed in MANIFEST$/m, (copy) => unlist(copy, "summary.csv")],
    [65, /^DAMAGED cosigned\/\w+ is not listed/m, (copy) => unlist(copy, `cosigned/${node}`)],
    [65, /^DAMAGED entries\.jsonl is missing, and MANIFEST lists it$/m, (copy) => rmSync(join(copy, "entries.jsonl"))],
    [65, /^DAMAGED keys\.jsonl is missing, and MANIFEST lists it$/m, (copy) => rmSync(join(copy, "keys.jsonl"))],
    [65, /^DAMAGED tile\/0\/000 is missing, and MANIFEST lists it$/m, (copy) => rmSync(join(copy, "tile/0/000"))],
    [104, /^DAMAGED tile\/entries\/001\.p\/46 is missing/m, (copy) => rmSync(join(copy, "tile/entries/001.p/46"))],
    [65, /^DAMAGED keys\.jsonl is not listed/m, (copy) => unlist(copy, "keys.jsonl")],
    [
      65,
      /^DAMAGED proof\.json is missing$/m,
      (copy) => {
        unlist(copy, "proof.json");
        rmSync(join(copy, "proof.json"));
      },
    ],
  ];
  for (const [exit, says, damage] of cases) {
    const copy = join(shortFolder(t), folder.split("/").at(-1) ?? "");
    cpSync(folder, copy, { recursive: true });
    damage(copy);
    const told = await verify(copy);
    t.equal(told.exit, exit, told.stdout);
    t.match(told.stdout, says);
    t.match(told.stdout, /^NOT OK: /m);
    t.notMatch(told.stdout, /^OK/m, "the word and the exit code agree");
    t.match(JSON.parse((await verify(copy, "--json")).stdout), [{ ok: false }]);
  }
});

t.test("a damaged tile or line stands before the tail that nothing seals", async (t) => {
  const { exported } = await nodeWith(t, 300);
  const { folder } = await exported();
  cpSync(join(folder, "epochs/0"), join(folder, "checkpoint"));
  edit(join(folder, "entries.jsonl"), '"index":7,', '"index":8,');
  writeFileSync(join(folder, "tile/1/000.p/1"), new Uint8Array(32));
  const { stdout } = await verify(folder, "--json");
  const [log] = JSON.parse(stdout) as { findings: { code: string; index: number }[] }[];
  t.same(
    log?.findings.map(({ code, index }) => `${code} ${index}`),
    ["EDIT 0", "EDIT 7", "UNSEALED-TAIL 301"],
  );
});

t.test("proofs beside a log are proven, whatever the list says and also without one", async (t) => {
  const { exported, log, store } = await nodeWith(t, 300);
  store.transaction((tx) => log.acknowledge(tx, log.head()));
  const { folder } = await exported();
  const proof = readFileSync(join(folder, "proof.json"), "utf8");
  const told = JSON.parse(proof) as { from: { size: number; root: string }; to: number; hashes: string[] };
  const note = readFileSync(join(folder, "cosigned", node), "utf8");
  const none = Buffer.alloc(32).toString("base64");
  const cases: [file: string, what: string, text: string][] = [
    ["proof.json", "not JSON", "{"],
    ["proof.json", "nothing", "{}"],
    ["proof.json", "another root", JSON.stringify({ ...told, from: { ...told.from, root: none } })],
    ["proof.json", "another size", JSON.stringify({ ...told, from: { ...told.from, size: 299 } })],
    ["proof.json", "a hash too few", JSON.stringify({ ...told, hashes: told.hashes.slice(1) })],
    ["proof.json", "another end", JSON.stringify({ ...told, to: 301 })],
    [`cosigned/${node}`, "another head", note.replace("\n300\n", "\n299\n")],
    [`cosigned/${node}`, "another node's", note.replaceAll(`/log/${node}/`, `/log/${"a".repeat(32)}/`)],
    [`cosigned/${node}`, "by no witness", note.replace("/witness/", "/nobody/")],
    [`cosigned/${node}`, "empty", ""],
  ];
  for (const [file, what, text] of cases) {
    for (const listed of [true, false]) {
      const copy = join(shortFolder(t), listed ? (folder.split("/").at(-1) ?? "") : "copy");
      cpSync(folder, copy, { recursive: true });
      t.equal((await verify(copy)).exit, 0);
      writeFileSync(join(copy, file), text);
      if (listed) unlist(copy, file, `${hash("sha256", text)}  ${file}\n`);
      else rmSync(join(copy, "MANIFEST"));
      const { exit, stdout } = await verify(copy);
      t.equal(exit, 65, `${file}: ${what}`);
      t.match(stdout, `DAMAGED ${file} `);
    }
  }
});

t.test("of several exports on a medium the longest must reach an anchor, and one of no log there is refused", async (t) => {
  const { exported, log, store, data, mount } = await nodeWith(t, 300);
  const folders = [await exported()];
  const anchor = (name: string) => join(data, name);
  writeFileSync(anchor("first"), folders[0]?.checkpoint ?? "");
  store.transaction((tx) =>
    log.appendAll(
      tx,
      Array.from({ length: 100 }, (_, number) => rotated(number)),
    ),
  );
  folders.push(await exported());
  writeFileSync(anchor("second"), folders[1]?.checkpoint ?? "");
  for (const name of ["first", "second"]) t.equal((await verify(mount, "--anchor", anchor(name))).exit, 0, name);
  store.transaction((tx) => log.appendAll(tx, [rotated(1)]));
  await log.sealEpoch([]);
  writeFileSync(anchor("newest"), log.lastCheckpoint() ?? "");
  const cut = await verify(mount, "--anchor", anchor("newest"), "--json");
  t.equal(cut.exit, 104, "both were cut, or are older: only the longest is asked");
  t.match((await verify(mount, "--anchor", anchor("newest"))).stdout, /NOT OK: 1 of 2 logs, see above\n$/);
  const found = (JSON.parse(cut.stdout) as { findings: { code: string }[] }[]).map(({ findings }) => findings.length);
  t.same(found, [0, 1]);
  const other = readFileSync(anchor("first"), "utf8").replaceAll(`${node}/0`, `${node}/1`);
  for (const [name, text] of Object.entries({ serial: other, node: other.replaceAll(node, "a".repeat(32)), text: "no note" })) {
    writeFileSync(anchor(name), text);
    await t.rejects(verify(mount, "--anchor", anchor(name)), { code: "AUDIT_ANCHOR_INVALID" }, name);
  }
});

t.test("an export since a checkpoint holds only what follows, and is believed only by who asked for it", async (t) => {
  const { exported, log, store, data } = await nodeWith(t, 300);
  const first = await exported();
  const anchor = join(data, "anchor");
  writeFileSync(anchor, first.checkpoint);
  store.transaction((tx) =>
    log.appendAll(
      tx,
      Array.from({ length: 300 }, (_, number) => rotated(number)),
    ),
  );
  const second = await exported("--since", anchor);
  t.equal(second.from, 256);
  t.notOk(existsSync(join(second.folder, "tile/entries/000")));
  const known = await verify(second.folder, "--since", anchor, "--anchor", anchor);
  t.equal(known.exit, 0, known.stdout);
  t.match(known.stdout, /the first 256 are not in this copy.*OK: every entry from 256 on/s);
  const unknown = await verify(second.folder);
  t.equal(unknown.exit, 102);
  t.match(unknown.stdout, /DELETE at 0: 256 entries.*hint: where this is an export made with --since/s);
  edit(join(second.folder, "tile/entries/001"), '"index":300,', '"index":299,');
  for (const since of ["abc", import.meta.filename]) {
    await t.rejects(exported("--since", since), { code: "CLI_USAGE", hint: /index/ });
    await t.rejects(verify(second.folder, "--since", since), { code: "CLI_USAGE", hint: /index/ });
  }
  t.equal((await verify(second.folder, "--since", "256")).exit, 101);
  rmSync(join(second.folder, "tile/0"), { recursive: true });
  await t.rejects(verify(second.folder, "--since", "256"), { code: "AUDIT_FOLDER_UNREADABLE" });
});

t.test("what was written is never written over, and a node that has no such entry says so", async (t) => {
  const { exported, mount, mirror } = await nodeWith(t, 10);
  await t.rejects(exported("--since", "5000"), { code: "AUDIT_EXPORT_RANGE" });
  const { folder } = await exported();
  rmSync(folder, { recursive: true });
  mkdirSync(join(mount, "TIDEGATE-AUDIT", node, "0-0-15"));
  await t.rejects(exported(), { code: "MEDIA_EXISTS" }, "the name of the next export is taken");
  t.ok(mirror);
});

t.test("plain files that are behind the log are an error, never an export of less", async (t) => {
  const { exported, data } = await nodeWith(t, 10);
  rmSync(join(data, "audit"), { recursive: true });
  writeFileSync(join(data, "audit"), "in the way");
  await t.rejects(exported(), { code: "AUDIT_EXPORT_BEHIND" });
});

function edit(path: string, before: string, after: string): void {
  const text = readFileSync(path, "latin1");
  t.ok(text.includes(before));
  writeFileSync(path, text.replace(before, after), "latin1");
}

/** Takes a file's line out of the list, or puts another in its place. */
function unlist(folder: string, name: string, instead = ""): void {
  const path = join(folder, "MANIFEST");
  const line = new RegExp(`^[0-9a-f]{64}  ${name.replaceAll(".", "\\.")}\\n`, "m");
  t.match(readFileSync(path, "latin1"), line);
  writeFileSync(path, readFileSync(path, "latin1").replace(line, instead), "latin1");
}

function append(path: string, text: string): void {
  writeFileSync(path, readFileSync(path, "latin1") + text, "latin1");
}
