import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { decodeEntryBundle, encodeEntryBundle } from "../../protocol/audit/index.ts";
import type { VectorFile } from "../../scripts/vectors-check/vector-file.ts";
import { node } from "../agent/audit/rig.ts";
import { nodeWith, run } from "../cli/export-rig.ts";
import { diceOf } from "../support/dice.ts";
import { shortFolder } from "../support/short-folder.ts";
import { python, verdicts } from "./second-verifier.ts";
import { pynacl, versionOf } from "./tool.ts";

const vectors = fileURLToPath(new URL("../../protocol/vectors/", import.meta.url));
const changedLogs = 16;

function readVectors(name: string): VectorFile {
  return JSON.parse(readFileSync(join(vectors, name), "utf8")) as VectorFile;
}

t.test("every published vector holds in a second implementation", async (t) => {
  if (versionOf(t, pynacl) === null) return;
  const files = readdirSync(vectors).filter((name) => name.endsWith(".json"));
  const cases = files.reduce((sum, name) => sum + readVectors(name).cases.length, 0);
  const told = python("check_vectors.py", [vectors]);
  t.equal(told.stdout.trim().split("\n").at(-1), `${cases} passed, 0 failed`, told.stdout);
  t.equal(told.exit, 0);
});

t.test("planted: a vector with one bit turned fails, and no other does", async (t) => {
  if (versionOf(t, pynacl) === null) return;
  const planted: [file: string, name: string, field: string][] = [
    ["audit.json", "a leaf with every field", "hash"],
    ["audit.json", "the root over 7 leaves", "root"],
    ["audit.json", "a checkpoint by the log key and the key of epoch 0", "root"],
    ["bundle.json", "digest of one entry", "digest"],
    ["bundle-carrier.json", "a bundle", "carrier"],
    ["envelope.json", "an envelope", "bytes"],
    ["join.json", "a join request", "request"],
    ["seal.json", "a body of 21 bytes", "ciphertext"],
    ["tunnel.json", "a handshake in mode direct", "sessionId"],
    ["x-wing.json", "X-Wing draft, vector 1", "secret"],
  ];
  const folder = shortFolder(t);
  const told: [path: string, line: string][] = [];
  for (const [at, [name, title, field]] of planted.entries()) {
    const file = readVectors(name);
    const chosen = file.cases.find((one) => one.name === title) as Record<string, unknown> | undefined;
    const value = chosen?.[field];
    if (chosen === undefined || typeof value !== "string") throw new Error(`no field ${field} in ${name}, ${title}`);
    const last = Number.parseInt(value.slice(-1), 16) ^ 1;
    chosen[field] = value.slice(0, -1) + last.toString(16);
    // A folder for each: some are of one file.
    const path = join(folder, String(at), name);
    mkdirSync(join(folder, String(at)));
    writeFileSync(path, JSON.stringify(file));
    told.push([path, `${name}: ${file.cases.length - 1} passed, 1 failed`]);
  }
  const { exit, stdout } = python(
    "check_vectors.py",
    told.map(([path]) => path),
  );
  t.equal(exit, 1);
  const totals = stdout.split("\n").filter((line) => /^\S+: \d+ passed, \d+ failed$/.test(line));
  t.same(
    totals,
    told.map(([, line]) => line),
  );
});

function copyOf(t: Test, folder: string): string {
  const copy = join(shortFolder(t), "copy");
  cpSync(folder, copy, { recursive: true });
  return copy;
}

function edit(path: string, from: string, to: string): void {
  writeFileSync(path, readFileSync(path, "latin1").replace(from, to), "latin1");
}

t.test("an export is good in both verifiers, and each tampering has the same name in both", async (t) => {
  if (versionOf(t, pynacl) === null) return;
  const { exported } = await nodeWith(t, 300);
  const { folder } = await exported();
  const whole = await verdicts(folder);
  t.same(whole.theirs, { found: [], sealed: 302, exit: 0, beside: [] });
  t.same(whole.ours, whole.theirs);
  const tamperings: [found: [string, number][], (copy: string) => void][] = [
    [[["EDIT", 7]], (copy) => edit(join(copy, "entries.jsonl"), '"index":7,', '"index":8,')],
    [[["EDIT", 7]], (copy) => edit(join(copy, "tile/entries/000"), '"index":7,', '"index":8,')],
    [[["EDIT", 0]], (copy) => writeFileSync(join(copy, "tile/1/000.p/1"), new Uint8Array(32))],
    [[], (copy) => rmSync(join(copy, "entries.jsonl"))],
    [[], (copy) => rmSync(join(copy, "tile/0/000"))],
    [[["TRUNCATED", 256]], (copy) => rmSync(join(copy, "tile/entries/001.p"), { recursive: true })],
    [[["DELETE", 0]], (copy) => rmSync(join(copy, "tile/entries/000"))],
    [[["EPOCH-GAP", 301]], (copy) => rmSync(join(copy, "epochs"), { recursive: true })],
    [
      [
        ["KEY-EPOCH", 0],
        ["UNSEALED-TAIL", 301],
      ],
      (copy) => edit(join(copy, "checkpoint"), "\n302\n", "\n303\n"),
    ],
    [[["UNSEALED-TAIL", 301]], (copy) => cpSync(join(copy, "epochs/0"), join(copy, "checkpoint"))],
  ];
  for (const [found, damage] of tamperings) {
    const copy = copyOf(t, folder);
    damage(copy);
    const { ours, theirs } = await verdicts(copy);
    t.same(theirs.found, found);
    t.same(ours, theirs);
  }
});

t.test("an anchor means the same to both verifiers, whatever was done to the checkpoints", async (t) => {
  if (versionOf(t, pynacl) === null) return;
  const { exported } = await nodeWith(t, 300);
  const { folder, checkpoint } = await exported();
  const anchor = join(shortFolder(t), "anchor");
  writeFileSync(anchor, checkpoint);
  const tamperings: [found: [string, number][], (copy: string) => void][] = [
    [[], () => {}],
    [[], (copy) => rmSync(join(copy, "checkpoint"))],
    [
      [["EPOCH-GAP", 301]],
      (copy) => {
        rmSync(join(copy, "checkpoint"));
        rmSync(join(copy, "epochs"), { recursive: true });
      },
    ],
    [
      [
        ["KEY-EPOCH", 0],
        ["EPOCH-GAP", 301],
      ],
      (copy) => edit(join(copy, "epochs/0"), "plant", "plane"),
    ],
    [[["KEY-EPOCH", 0]], (copy) => edit(join(copy, "checkpoint"), "plant", "plane")],
  ];
  for (const [found, damage] of tamperings) {
    const copy = copyOf(t, folder);
    damage(copy);
    const { ours, theirs } = await verdicts(copy, "--anchor", anchor);
    t.same(theirs.found, found);
    t.same(ours, theirs);
  }
});

t.test("proofs beside the log that prove nothing are named by both verifiers", async (t) => {
  if (versionOf(t, pynacl) === null) return;
  const { exported, log, store } = await nodeWith(t, 300);
  store.transaction((tx) => log.acknowledge(tx, log.head()));
  const { folder } = await exported();
  t.same((await verdicts(folder)).theirs.beside, []);
  const cases: [file: string, (copy: string) => void][] = [
    ["proof.json", (copy) => edit(join(copy, "proof.json"), '"to": 302', '"to": 301')],
    ["proof.json", (copy) => edit(join(copy, "proof.json"), '"size": 300', '"size": 299')],
    [`cosigned/${node}`, (copy) => edit(join(copy, "cosigned", node), "\n300\n", "\n299\n")],
    [`cosigned/${node}`, (copy) => edit(join(copy, "cosigned", node), `/log/${node}/`, `/log/${"a".repeat(32)}/`)],
  ];
  for (const [file, damage] of cases) {
    const copy = copyOf(t, folder);
    rmSync(join(copy, "MANIFEST"));
    damage(copy);
    const { ours, theirs } = await verdicts(copy);
    t.same([ours.found, ours.beside, ours.exit], [[], [file], 65]);
    t.same([theirs.found, theirs.beside, theirs.exit], [[], [file], 65]);
  }
});

t.test("what lies on media means the same to both verifiers, there, here and together", async (t) => {
  if (versionOf(t, pynacl) === null) return;
  const { data, log, mount, store } = await nodeWith(t, 700);
  store.transaction((tx) => log.acknowledge(tx, log.head()));
  const words = ["audit", "archive", mount, "--data", data, "--keep", "0", "--accept-cache", "--json"];
  const archive = JSON.parse((await run(words)).stdout) as { folder: string; until: number; size: number };
  t.match(archive, { until: 512 });
  const own = join(data, "audit/0");
  await log.close();
  const good = await verdicts(own);
  t.same([good.theirs.found, good.theirs.exit], [[], 0]);
  const [excuse] = readdirSync(join(own, "tile/entries/002.p")).sort((a, b) => Number(b) - Number(a));
  const newest = `tile/entries/002.p/${excuse}`;
  const cases: [says: string, found: [string, number][], (copy: string) => void, ...options: string[]][] = [
    ["alone", [], () => {}],
    ["with the medium", [], () => {}, "--archive", archive.folder],
    ["an entry edited", [["EDIT", 600]], (copy) => edit(join(copy, newest), '"index":600,', '"index":601,')],
    [
      "an entry edited, with the medium",
      [["EDIT", 600]],
      (copy) => edit(join(copy, newest), '"index":600,', '"index":601,'),
      "--archive",
      archive.folder,
    ],
    ["the hashes gone", [["DELETE", 0]], (copy) => rmSync(join(copy, "tile/0"), { recursive: true })],
    [
      "the hashes gone, with the medium",
      [],
      (copy) => rmSync(join(copy, "tile/0"), { recursive: true }),
      "--archive",
      archive.folder,
    ],
    [
      "the hash of an archived entry, so that nothing is proven",
      [["DELETE", 0]],
      (copy) => writeFileSync(join(copy, "tile/0/001"), Buffer.alloc(8192)),
    ],
  ];
  for (const [says, found, damage, ...options] of cases) {
    const copy = copyOf(t, own);
    damage(copy);
    const { ours, theirs } = await verdicts(copy, ...options);
    t.same(theirs.found, found, says);
    t.same(ours, theirs, says);
  }
  const gapped = copyOf(t, archive.folder);
  rmSync(join(gapped, "tile/entries/000"));
  const lacking = await verdicts(own, "--archive", gapped);
  t.same([lacking.theirs.found, lacking.theirs.beside], [[["DELETE", 0]], [`${gapped}/tile/entries/000`]]);
  t.same(lacking.ours, lacking.theirs);
  const medium = await verdicts(archive.folder);
  t.same([medium.theirs.found, medium.theirs.exit], [[], 0]);
  t.same(medium.ours, medium.theirs);
  const young = copyOf(t, archive.folder);
  rmSync(join(young, "tile/entries/000"));
  const cut = await verdicts(young);
  t.same(cut.theirs.found, [["DELETE", 0]], "the medium's log does not say yet that anything was archived");
  t.same(cut.ours, cut.theirs);
});

/** Changes the entries of a folder of less than 512 entries by chance: takes out, doubles, moves, swaps, edits. */
function shuffle(folder: string, die: (sides: number) => number): string {
  const first = join(folder, "tile/entries/000");
  const [rest] = readdirSync(join(folder, "tile/entries/001.p"));
  const entries = [first, join(folder, `tile/entries/001.p/${rest}`)].flatMap((path) => decodeEntryBundle(readFileSync(path)));
  const done: string[] = [];
  for (let left = 1 + die(3); left > 0; left -= 1) {
    const [at, to] = [die(entries.length - 40), die(entries.length - 40)];
    const kind = die(5);
    const entry = entries[at] ?? new Uint8Array();
    if (kind === 0) entries.splice(at, 1 + die(4));
    else if (kind === 1) entries.splice(to, 0, entry);
    else if (kind === 2) entries.splice(to, 0, ...entries.splice(at, 1));
    else if (kind === 3) [entries[at], entries[to]] = [entries[to] ?? entry, entry];
    else
      entries[at] = Buffer.from(
        Buffer.from(entry)
          .toString("latin1")
          .replace(/"index":\d+/, `"index":${die(400)}`),
        "latin1",
      );
    done.push(`${kind} at ${at} to ${to}`);
  }
  rmSync(join(folder, "tile/entries/001.p"), { recursive: true });
  writeFileSync(first, encodeEntryBundle(entries.slice(0, 256)));
  const later = entries.slice(256);
  cpSync(first, join(folder, `tile/entries/001.p/${later.length}`));
  writeFileSync(join(folder, `tile/entries/001.p/${later.length}`), encodeEntryBundle(later));
  if (die(3) === 0) rmSync(join(folder, "tile/0"), { recursive: true });
  return done.join(", ");
}

t.test("two verifiers find the same in logs that chance has changed", async (t) => {
  if (versionOf(t, pynacl) === null) return;
  const { exported } = await nodeWith(t, 300);
  const { folder } = await exported();
  for (let seed = 1; seed <= changedLogs; seed += 1) {
    const copy = copyOf(t, folder);
    const done = shuffle(copy, diceOf(seed));
    const { ours, theirs } = await verdicts(copy);
    t.not(theirs.exit, 0, `seed ${seed}: ${done}`);
    t.same(ours, theirs, `seed ${seed}: ${done}`);
  }
});
