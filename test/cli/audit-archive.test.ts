import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import t, { type Test } from "tap";
import { callAdmin, createAdminServer } from "../../agent/admin/index.ts";
import { storeStorage } from "../../agent/audit/index.ts";
import { auditCopyRoutes, type ExportSource } from "../../agent/custody/index.ts";
import { createDataFolder } from "../../agent/data-folder/index.ts";
import { auditCommand } from "../../cli/commands/audit.ts";
import type { Frame } from "../../cli/frame/index.ts";
import { createOutput } from "../../cli/frame/output.ts";
import { createProgram } from "../../cli/program.ts";
import { decodeLeaf, encodeLeaf } from "../../protocol/audit/index.ts";
import { fill, openRig } from "../agent/audit/rig.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { shortFolder } from "../support/short-folder.ts";
import { exportSource } from "./export-rig.ts";

/** Runs the command line in this process. */
async function run(words: string[]) {
  const told = { stdout: "", exit: 0 };
  const frame: Frame = {
    output: createOutput(words.includes("--json"), {
      stdout: { write: (text: string) => (told.stdout += text) },
      stderr: { write: () => {} },
    }),
    environment: { home: "/nowhere" },
    isTerminal: false,
    colours: false,
    secret: () => Promise.reject(new Error("no secret is needed")),
    progress: () => ({ update: () => {}, end: () => {} }),
    exit: (code) => (told.exit = code),
    untilStopped: () => new Promise(() => {}),
  };
  await createProgram(frame, [auditCommand], "0.0.0").parseAsync(["node", "tidegate", ...words]);
  return told;
}

interface NodeChanges {
  readonly store?: MemoryStore;
  readonly folder?: string;
  readonly failpoint?: (name: string) => void;
  /** Stands between the command line and the node. */
  readonly wrap?: (source: ExportSource) => ExportSource;
}

/** A node with a log whose archive goes over its admin socket. */
async function nodeWith(t: Test, entries: number, changes: NodeChanges = {}) {
  const data = changes.folder ?? createDataFolder(shortFolder(t)).path;
  const store = changes.store ?? new MemoryStore();
  const rig = openRig({ store, folder: data, ...(changes.failpoint === undefined ? {} : { failpoint: changes.failpoint }) });
  const { log } = rig;
  if (entries > 0) fill(store, log, entries);
  log.checkpoint();
  await rig.mirror?.settled();
  const source = exportSource(rig, store);
  const admin = await createAdminServer({
    socketPath: join(data, "admin.sock"),
    routes: auditCopyRoutes(changes.wrap?.(source) ?? source, (length) => new Uint8Array(length).fill(7)),
    log: { error() {}, warn() {}, info() {}, debug() {} } as never,
  });
  let open = true;
  const close = async () => {
    if (open) await admin.close();
    open = false;
  };
  t.teardown(close);
  const vouch = () => store.transaction((tx) => log.acknowledge(tx, log.head()));
  return { ...rig, store, data, vouch, close, own: join(data, "audit", "0") };
}

function stick(t: Test): string {
  const mount = join(shortFolder(t), "stick");
  mkdirSync(mount);
  return mount;
}

interface Told {
  readonly folder: string;
  readonly from: number;
  readonly size: number;
  readonly until: number;
}

async function archive(data: string, mount: string, ...options: string[]): Promise<Told> {
  const words = ["audit", "archive", mount, "--data", data, "--keep", "0", "--accept-cache", "--json", ...options];
  return JSON.parse((await run(words)).stdout) as Told;
}

const verify = (path: string, ...options: string[]) => run(["audit", "verify", path, ...options]);
const bundles = (folder: string) =>
  readdirSync(join(folder, "tile", "entries"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(join(folder, "tile", "entries"), join(entry.parentPath, entry.name)).slice(0, 3))
    .sort();
/** Full bundles that the store still gives. */
const held = (store: MemoryStore, full: number) =>
  store.read((view) => {
    const read = storeStorage(0).read(view);
    return Array.from({ length: full }, (_, index) => read.leaves(index * 256, 256).length).filter((count) => count > 0).length;
  });

t.test(
  "an archive is on the medium, verified, before the node forgets, and verifies alone, without it, and together",
  async (t) => {
    const { data, own, log, store, vouch, mirror } = await nodeWith(t, 700);
    vouch();
    const mount = stick(t);
    const told = await archive(data, mount, "--person", "Kim");
    t.match(told, { from: 0, until: 512, size: 703 });
    t.same([held(store, 2), bundles(own)], [0, ["002"]], "neither rows nor files are left of what was archived");
    t.same(log.leaves(0, 10), [], "and nothing else is read in its place");
    t.equal(log.leaves(512, 1000).length, log.head().size - 512);
    const leaves = log.leaves(701, 10).map((bytes) => decodeLeaf(bytes));
    const last = leaves.findLast(({ action }) => action === "audit.archive");
    t.match(last, { outcome: "ok", details: { from: 0, until: 512, size: 703, person: "Kim" } });
    const alone = await verify(own);
    t.equal(alone.exit, 0, alone.stdout);
    t.match(
      alone.stdout,
      /the first 512 are not in this copy.*they were archived.*notice {3}ARCHIVED by entry 703: entries 0 to 511/s,
    );
    const medium = await verify(mount);
    t.equal(medium.exit, 0, medium.stdout);
    t.match(medium.stdout, /OK: every entry is sealed/);
    const both = await verify(own, "--archive", mount);
    t.equal(both.exit, 0, both.stdout);
    t.match(both.stdout, /OK: every entry is sealed/);
    t.notMatch(both.stdout, /not in this copy/);
    fill(store, log, 300);
    vouch();
    const second = await archive(data, mount);
    t.match(second, { from: 512, until: 768 });
    const later = await verify(second.folder);
    t.equal(later.exit, 0, later.stdout);
    t.match(later.stdout, /the first 512 are not in this copy.*archived/s, "a later archive says where the earlier one is");
    t.equal((await verify(own, "--archive", mount)).exit, 0);
    t.equal((await verify(second.folder, "--archive", told.folder)).exit, 0);
    const exported = JSON.parse((await run(["audit", "export", stick(t), "--data", data, "--json"])).stdout) as Told;
    t.equal(exported.from, 768, "an export holds what the node still has");
    t.equal((await verify(exported.folder)).exit, 0);
    t.equal((await verify(exported.folder, "--archive", mount)).exit, 0);
    const auditor = dirname(dirname(dirname(exported.folder)));
    await run(["audit", "export", auditor, "--data", data, "--json"]);
    fill(store, log, 300);
    vouch();
    const newer = await archive(data, stick(t));
    const older = await verify(auditor, "--archive", newer.folder, "--archive", mount);
    t.equal(older.exit, 0, "an archive that is newer than an export does not make the export shorter");
    t.match(older.stdout, /OK: all 2 logs\n$/);
    const renamed = join(dirname(exported.folder), "december");
    renameSync(exported.folder, renamed);
    const unnamed = await verify(renamed, "--archive", newer.folder, "--archive", mount);
    t.equal(unnamed.exit, 104, "nothing says that it need not reach further");
    t.match(unnamed.stdout, new RegExp(`hint: where this is an export .* named ${basename(exported.folder)},`));
    t.equal((await verify(renamed)).exit, 0);
    renameSync(renamed, join(dirname(renamed), basename(exported.folder)));
    t.equal((await verify(exported.folder, "--archive", newer.folder, "--archive", mount)).exit, 0);
    await mirror?.settled();
  },
);

t.test("planted: what an archive lacks is named, and never passes for what no archive was given for", async (t) => {
  const { data, own, log, vouch } = await nodeWith(t, 700);
  vouch();
  const { folder } = await archive(data, stick(t));
  await log.close();
  const unlisted = (copy: string, name: string) => {
    rmSync(join(copy, name));
    const list = readFileSync(join(copy, "MANIFEST"), "latin1").split("\n");
    writeFileSync(join(copy, "MANIFEST"), list.filter((line) => !line.endsWith(`  ${name}`)).join("\n"), "latin1");
  };
  const cases: [exit: number, says: RegExp, damage: (copy: string) => void][] = [
    [
      102,
      /^DELETE at 0: 256 .*^DAMAGED \S+\/tile\/entries\/000 is missing/ms,
      (copy) => rmSync(join(copy, "tile/entries/000")),
    ],
    [102, /^DELETE at 0: 256 /m, (copy) => unlisted(copy, "tile/entries/000")],
    [102, /^DELETE at 256: 256 /m, (copy) => unlisted(copy, "tile/entries/001")],
    [65, /^DAMAGED \S+\/tile\/0\/000 is missing/m, (copy) => rmSync(join(copy, "tile/0/000"))],
    [65, /^DAMAGED \S+\/entries\.jsonl is missing/m, (copy) => rmSync(join(copy, "entries.jsonl"))],
    [65, /^DAMAGED \S+\/checkpoint is missing/m, (copy) => rmSync(join(copy, "checkpoint"))],
    [65, /^DAMAGED \S+\/MANIFEST is missing/m, (copy) => rmSync(join(copy, "MANIFEST"))],
  ];
  for (const [exit, says, damage] of cases) {
    const copy = join(shortFolder(t), basename(dirname(folder)), basename(folder));
    cpSync(folder, copy, { recursive: true });
    damage(copy);
    const told = await verify(own, "--archive", dirname(copy));
    t.equal(told.exit, exit, told.stdout);
    t.match(told.stdout, says);
    t.notMatch(told.stdout, /^OK/m);
  }
});

t.test("proofs, checkpoints and plain files go on after entries were freed", async (t) => {
  const { data, own, log, store, vouch, mirror, time } = await nodeWith(t, 1100);
  const before = log.head();
  vouch();
  await archive(data, stick(t));
  t.equal(log.proofBetween(300, before.size).length > 0, true, "consistency from a size that lies on the medium");
  fill(store, log, 900);
  log.checkpoint();
  await log.close();
  rmSync(join(data, "audit"), { recursive: true });
  const again = openRig({ store, folder: data, time });
  await again.log.close();
  await mirror?.settled();
  t.same(again.failures, [], "lost plain files are made again of what is there");
  const told = await verify(own);
  t.equal(told.exit, 0, told.stdout);
  t.match(told.stdout, /OK: every entry from 1024 on/);
});

t.test("only what another party vouches for goes, in whole bundles, and what is to stay stays", async (t) => {
  const { data, vouch } = await nodeWith(t, 600);
  await t.rejects(archive(data, stick(t)), { code: "AUDIT_ARCHIVE_NOTHING" }, "nobody vouches for anything");
  vouch();
  await t.rejects(
    archive(data, stick(t), "--keep", "400"),
    { code: "AUDIT_ARCHIVE_NOTHING" },
    "a bundle that must stay in part",
  );
  t.equal((await archive(data, stick(t), "--keep", "300")).until, 256);
  await t.rejects(archive(data, stick(t), "--keep", "300"), { code: "AUDIT_ARCHIVE_NOTHING" }, "not twice");
});

t.test("a missing beginning is excused by a sealed leaf of this log only", async (t) => {
  const { data, own, vouch, log } = await nodeWith(t, 700);
  const cut = join(shortFolder(t), "cut");
  cpSync(own, cut, { recursive: true });
  rmSync(join(cut, "tile", "entries", "000"));
  t.equal((await verify(cut)).exit, 102, "nobody archived it");
  vouch();
  await archive(data, stick(t));
  await log.close();
  const more = join(shortFolder(t), "more");
  cpSync(own, more, { recursive: true });
  t.equal((await verify(more)).exit, 0);
  const bundle = join(
    more,
    "tile",
    "entries",
    readdirSync(join(more, "tile", "entries")).find((name) => name.startsWith("002")) ?? "",
  );
  const file = join(bundle, readdirSync(bundle)[0] ?? "");
  writeFileSync(
    file,
    readFileSync(file, "latin1").replace(
      '"outcome":"ok","code":null,"details":{"bytes"',
      '"outcome":"no","code":null,"details":{"bytes"',
    ),
    "latin1",
  );
  t.not((await verify(more)).exit, 0, "the leaf itself was changed");
  const forged = join(shortFolder(t), "forged");
  cpSync(own, forged, { recursive: true });
  rmSync(join(forged, "tile", "0"), { recursive: true });
  t.equal((await verify(forged)).exit, 102, "without the hashes nothing proves that it was there");
});

t.test("planted: what is not proven to lie on the medium is never freed", async (t) => {
  const untouched = (node: { store: MemoryStore; own: string }, says: string) => {
    t.same([held(node.store, 2), bundles(node.own)], [2, ["000", "001", "002"]], says);
  };
  const lost = await nodeWith(t, 700, {
    // The store gives other bytes than the plain files: what the medium holds is not what would be freed.
    wrap: (source) => ({
      ...source,
      archive: {
        held: () => source.archive.held(),
        archivable: () => source.archive.archivable(),
        leaves: async (from, limit) => (await source.archive.leaves(from, limit)).toReversed(),
        archive: (event, until) => source.archive.archive(event, until),
      },
    }),
  });
  lost.vouch();
  await t.rejects(archive(lost.data, stick(t)), { code: "AUDIT_ARCHIVE_UNVERIFIED" });
  untouched(lost, "the medium holds something else");
  const node = await nodeWith(t, 700);
  node.vouch();
  const custody = { medium: { serial: "S1", label: "L", size: null }, login: "op", person: null };
  const call = (path: string, body: object) => callAdmin(node.data, { method: "POST", path, body });
  const grant = (await call("/v1/audit/archive", { custody, keep: 0 })) as Told;
  const ended = { bytes: 1, readBackFrom: "medium", proof: "00".repeat(32), acceptCache: false };
  const range = { custody, from: grant.from, size: grant.size };
  await t.rejects(call("/v1/audit/archive/end", { ...range, ended }), { code: "AUDIT_ARCHIVE_UNVERIFIED" });
  untouched(node, "a proof that is none: nothing was read back");
  await t.rejects(
    call("/v1/audit/archive/end", { ...range, ended }),
    { code: "CUSTODY_SESSION" },
    "one try for each challenge",
  );
  await call("/v1/audit/archive", { custody, keep: 0 });
  await t.rejects(call("/v1/audit/archive/end", { ...range, ended }), { code: "CUSTODY_SESSION" }, "of another archive");
  untouched(node, "and nothing was freed by all that");
  const failed = node.log.leaves(700, 20).map((bytes) => decodeLeaf(bytes));
  t.match(
    failed.find(({ code }) => code === "AUDIT_ARCHIVE_UNVERIFIED"),
    { action: "audit.archive", outcome: "failed" },
  );
  const damaged = await nodeWith(t, 700);
  damaged.vouch();
  const path = join(damaged.own, "tile", "entries", "000");
  writeFileSync(path, readFileSync(path, "latin1").replace('"number":7', '"number":8'), "latin1");
  await t.rejects(archive(damaged.data, stick(t)), { code: "CLI_FILE" }, "a copy that does not verify");
  untouched(damaged, "damaged plain files free nothing");
});

t.test("a crash at each step of an archive loses nothing, and the next start ends it", async (t) => {
  const steps = [
    "audit.before-archive",
    "audit.after-archive",
    "audit.before-free",
    "audit.after-free",
    "audit.before-checkpoint",
  ];
  for (const step of steps) {
    let armed = false;
    const failpoint = (name: string) => {
      if (armed && name === step) throw new Error(`crash at ${step}`);
    };
    const node = await nodeWith(t, 5000, { failpoint });
    node.vouch();
    const mount = stick(t);
    // Only the end of it: the checkpoint of the beginning is not the one that is meant.
    const end = node.log.archive.archive.bind(node.log.archive);
    node.log.archive.archive = (event, until) => {
      armed = true;
      return end(event, until);
    };
    await archive(node.data, mount).catch(() => {});
    armed = false;
    t.equal((await verify(mount)).exit, 0, `${step}: the medium is whole`);
    await node.close();
    await node.mirror?.settled();
    const store = node.store.reopen();
    const { log, mirror, failures, time } = openRig({ store, folder: node.data });
    const decided = log.archive.held() > 0;
    t.equal(decided, step !== "audit.before-archive", step);
    time.pass(10_000);
    for (let turns = 0; turns < 50; turns += 1) await new Promise((resolve) => setImmediate(resolve));
    await mirror?.settled();
    log.checkpoint();
    await log.close();
    t.same(failures, [], step);
    t.equal(held(store, 19), decided ? 0 : 19, `${step}: freed where it was decided, and only there`);
    t.equal(existsSync(join(node.own, "tile", "entries", "000")), !decided);
    t.equal((await verify(node.own)).exit, 0, step);
    t.equal((await verify(node.own, "--archive", mount)).exit, 0, step);
  }
});

t.test("key leaves that were archived still name the keys of what is here", async (t) => {
  const { data, own, log, store, vouch } = await nodeWith(t, 100);
  for (let epoch = 0; epoch < 4; epoch += 1) {
    await log.sealEpoch([]);
    fill(store, log, 200);
  }
  vouch();
  await archive(data, stick(t));
  await log.close();
  const lines = readFileSync(join(own, "keys.jsonl"), "latin1").trimEnd().split("\n");
  t.ok(lines.length >= 3);
  t.equal(encodeLeaf(decodeLeaf(Buffer.from(lines[0] ?? "", "latin1"))).length, lines[0]?.length);
  t.equal((await verify(own)).exit, 0);
  rmSync(join(own, "keys.jsonl"));
  t.equal((await verify(own)).exit, 106, "without them the chain of keys has a gap");
});
