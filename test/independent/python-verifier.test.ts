import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { decodeEntryBundle, encodeEntryBundle } from "../../protocol/audit/index.ts";
import type { VectorFile } from "../../scripts/vectors-check/vector-file.ts";
import { nodeWith } from "../cli/export-rig.ts";
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
  for (const [name, title, field] of planted) {
    const file = readVectors(name);
    const chosen = file.cases.find((one) => one.name === title) as Record<string, unknown> | undefined;
    const value = chosen?.[field];
    if (chosen === undefined || typeof value !== "string") throw new Error(`no field ${field} in ${name}, ${title}`);
    const last = Number.parseInt(value.slice(-1), 16) ^ 1;
    chosen[field] = value.slice(0, -1) + last.toString(16);
    writeFileSync(join(folder, name), JSON.stringify(file));
    const told = python("check_vectors.py", [join(folder, name)]);
    t.equal(told.exit, 1, `${name}, ${title}`);
    t.match(told.stdout, `${file.cases.length - 1} passed, 1 failed`);
  }
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
  t.same(whole.theirs, { found: [], sealed: 302, exit: 0 });
  t.same(whole.ours, whole.theirs);
  const tamperings: [found: [string, number][], (copy: string) => void][] = [
    [[["EDIT", 7]], (copy) => edit(join(copy, "entries.jsonl"), '"index":7,', '"index":8,')],
    [[["EDIT", 7]], (copy) => edit(join(copy, "tile/entries/000"), '"index":7,', '"index":8,')],
    [[["EDIT", 0]], (copy) => writeFileSync(join(copy, "tile/1/000.p/1"), new Uint8Array(32))],
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
