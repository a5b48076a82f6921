import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import t from "tap";
import { fileCollector } from "../../../agent/forward/file-collector.ts";
import { shortFolder } from "../../support/short-folder.ts";
import { fill } from "../audit/rig.ts";
import { indexesIn, proven, real, rig, upTo } from "./real-rig.ts";

t.test("a file is appended to by its name, so that it can be rotated away, and belongs to the node alone", async (t) => {
  const folder = shortFolder(t);
  const path = join(folder, "events.jsonl");
  const { sender, clock, store, log } = rig(t, { to: "file", path });
  await proven(sender, clock, 100);
  t.equal(statSync(path).mode & 0o777, 0o600);
  renameSync(path, `${path}.1`);
  fill(store, log, 10);
  await proven(sender, clock, 110);
  t.same([...indexesIn(readFileSync(`${path}.1`, "utf8")), ...indexesIn(readFileSync(path, "utf8"))], upTo(110));
});

t.test("what a crash left of a line spoils no other", async (t) => {
  const path = join(shortFolder(t), "events.jsonl");
  writeFileSync(path, '{"origin":"plant.exam');
  const { sender, clock } = rig(t, { to: "file", path });
  await proven(sender, clock, 100);
  const [torn, ...lines] = readFileSync(path, "utf8").split("\n");
  t.equal(torn, '{"origin":"plant.exam');
  t.same(indexesIn(lines.join("\n")), upTo(100));
});

t.test("a file that opens only after its time was over keeps nobody from opening it again", async (t) => {
  const collector = fileCollector(join(shortFolder(t), "events.jsonl"), 1_000_000);
  const patient = new AbortController().signal;
  const hanging = await collector.open(patient);
  const late = new AbortController();
  const slow = [late, new AbortController()].map((each) => collector.open(each.signal));
  late.abort();
  hanging.destroy();
  await t.rejects(slow[0] as Promise<unknown>, { code: "FORWARD_FILE" });
  const link = await slow[1];
  await link?.write(Buffer.from("{}\n"));
  await link?.finish();
  link?.destroy();
});

t.test("a file that is none, cannot be made or has reached its limit is refused by name", async (t) => {
  const folder = shortFolder(t);
  mkdirSync(join(folder, "folder"));
  symlinkSync(join(folder, "elsewhere"), join(folder, "link"));
  execFileSync("mkfifo", [join(folder, "fifo")]);
  const mebibyte = 1024 * 1024;
  mkdirSync(join(folder, "node", "keys"), { recursive: true });
  writeFileSync(join(folder, "node", "tidegate.yaml"), "");
  writeFileSync(join(folder, "node", "keys", "key-file"), "{");
  writeFileSync(join(folder, "other"), "SQLite format 3");
  writeFileSync(join(folder, "full"), Buffer.alloc(mebibyte, 0x0a));
  writeFileSync(join(folder, "nearly"), Buffer.alloc(mebibyte - 1, 0x0a));
  const cases: [string, string][] = [
    ["folder", "FORWARD_FILE"],
    ["link", "FORWARD_FILE"],
    ["fifo", "FORWARD_FILE"],
    ["no/such/folder", "FORWARD_FILE"],
    ["/dev/full", "FORWARD_FILE"],
    ["full", "FORWARD_FILE_FULL"],
    ["other", "FORWARD_FILE_OTHER"],
    ["node/events.jsonl", "FORWARD_FILE_OTHER"],
    ["node/keys/key-file", "FORWARD_FILE_OTHER"],
  ];
  for (const [name, code] of cases) {
    const { sender } = rig(t, { to: "file", path: resolve(folder, name), maxMib: 1 });
    await real(() => sender.status().lastCode !== null);
    t.equal(sender.status().lastCode, code, name);
  }
  t.equal(readFileSync(join(folder, "node", "keys", "key-file"), "utf8"), "{", "and what is no file of events stays as it is");
  const { sender, clock } = rig(t, { to: "file", path: join(folder, "nearly"), maxMib: 1 });
  await proven(sender, clock, 64);
  await real(() => sender.status().lastCode !== null);
  t.equal(sender.status().lastCode, "FORWARD_FILE_FULL", "it ends over its limit by one connection's worth at most");
});
