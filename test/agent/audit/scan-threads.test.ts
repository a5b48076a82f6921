import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { type FolderVerdict, verifyFolder } from "../../../agent/audit/index.ts";
import { decodeEntryBundle } from "../../../protocol/audit/index.ts";
import { MemoryStore } from "../../support/memory-store.ts";
import { shortFolder } from "../../support/short-folder.ts";
import { fill, openRig } from "./rig.ts";

/** Three jobs of 16 bundles: more than one thread is given at once. */
const size = 9000;

const bundle = (log: string, index: number) => join(log, "tile", "entries", `${index}`.padStart(3, "0"));

/** A mirrored log, with its entries once more as lines. */
async function wholeLog(t: Parameters<typeof shortFolder>[0]): Promise<string> {
  const data = shortFolder(t);
  const store = new MemoryStore();
  const { log } = openRig({ store, folder: data });
  fill(store, log, size - 2);
  await log.close();
  const folder = join(data, "audit", "0");
  writeFileSync(
    join(folder, "entries.jsonl"),
    log
      .leaves(0, size)
      .map((leaf) => `${Buffer.from(leaf).toString("latin1")}\n`)
      .join(""),
  );
  return folder;
}

function verify(path: string, threads: number): Promise<FolderVerdict> {
  return verifyFolder({ path, anchors: [], vaultId: null, threads, onProgress: () => {} });
}

t.test("entries that are scanned on threads are judged as those that are not", async (t) => {
  const honest = await wholeLog(t);
  const changes: Readonly<Record<string, [change: (log: string) => void, expected: string[]]>> = {
    honest: [() => {}, []],
    "an entry edited": [(log) => edit(bundle(log, 20), 300), ["EDIT 5120"]],
    "a bundle cut": [(log) => writeFileSync(bundle(log, 30), readFileSync(bundle(log, 30)).subarray(0, -5)), ["EDIT 7935"]],
    "a bundle missing": [(log) => rmSync(bundle(log, 17)), ["DELETE 4352"]],
    "a line changed": [(log) => edit(join(log, "entries.jsonl"), lineAt(log, 5000) + 9), ["EDIT 5000"]],
    "a hash tile changed": [(log) => edit(join(log, "tile", "0", "033"), 40), ["EDIT 8448"]],
  };
  for (const [name, [change, expected]] of Object.entries(changes)) {
    const copy = shortFolder(t);
    cpSync(honest, copy, { recursive: true });
    change(copy);
    const here = await verify(copy, 0);
    t.same(
      here.findings.map(({ code, index }) => `${code} ${index}`),
      expected,
      name,
    );
    for (const threads of [1, 2]) t.same(await verify(copy, threads), here, `${name}, ${threads} threads`);
  }
  writeFileSync(bundle(honest, 18), Buffer.alloc(256 * 8194 + 1));
  for (const threads of [0, 2]) await t.rejects(verify(honest, threads), { code: "AUDIT_FOLDER_UNREADABLE" });
});

function edit(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

/** Where the line of an entry begins. */
function lineAt(log: string, index: number): number {
  let bytes = 0;
  for (let first = 0; first < index; first += 256) {
    const leaves = decodeEntryBundle(readFileSync(bundle(log, first / 256))).slice(0, index - first);
    bytes += leaves.reduce((sum, leaf) => sum + leaf.length + 1, 0);
  }
  return bytes;
}
