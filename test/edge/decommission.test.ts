import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { createLog } from "../../agent/log/index.ts";
import { eraseFile } from "../../agent/member/erase.ts";
import { decommission } from "../../agent/member/index.ts";
import { openSealKey } from "../../agent/seal-key/index.ts";
import { run } from "../cli/run.ts";
import { shortFolder } from "../support/short-folder.ts";
import { EdgeWorld } from "./edge-world.ts";

type Test = ConstructorParameters<typeof EdgeWorld>[0];

/** An edge that has joined, run and stopped. */
async function stopped(t: Test) {
  const world = new EdgeWorld(t);
  await world.listen();
  await world.join();
  const edge = await world.start();
  await world.until(() => world.reportBytes.length > 0);
  const { folder, unlock, seams } = world;
  const end = (more: { force?: boolean } = {}) =>
    decommission({
      folder,
      unlock,
      seams,
      role: "edge",
      force: false,
      reason: "a test",
      version: "0.0.0",
      log: createLog({ level: "silent", node: "edge" }),
      ...more,
    });
  return { world, edge, folder, end };
}

t.test("a decommissioned edge leaves a signed log, and nothing that opens its store", async (t) => {
  const { world, edge, folder, end } = await stopped(t);
  await t.rejects(end(), { code: "DATA_LOCKED" }, "not while it runs");
  await edge.close();
  const done = await end({ force: true });
  t.equal(done.name, "edge-1");
  t.same(readdirSync(folder.keys), [], "no key, no key file, no mark");
  t.notOk(readdirSync(folder.path).some((name) => name.startsWith("node.db")));
  await t.rejects(openSealKey({ path: folder.sealKey, unlock: world.unlock }), { code: "SEAL_KEY_MISSING" });
  const verified = await run(["audit", "verify", done.statement]);
  t.equal(verified.exit, 0, verified.stdout + verified.stderr);
  const text = readdirSync(join(done.statement, "tile"), { recursive: true, encoding: "utf8" })
    .map((name) => join(done.statement, "tile", name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, "latin1"))
    .join();
  t.match(text, /"action":"node\.decommission"/);
  await t.rejects(end(), { code: "SEAL_KEY_MISSING" }, "it is nobody any more");
});

t.test("an edge that has something to say is kept until the vault has heard it", async (t) => {
  const { world, edge, folder, end } = await stopped(t);
  world.mailroom.answer = () => "full";
  edge.parts.store.transaction((tx) => edge.parts.node.queueReport(tx, [{ type: 2, payload: new Uint8Array(3) }]));
  await edge.close();
  await t.rejects(end(), { code: "MEMBER_UNREPORTED" });
  t.ok(existsSync(folder.sealKey), "nothing was erased");
  t.ok((await end({ force: true })).unreported > 0);
  t.notOk(existsSync(folder.sealKey));
});

t.test("a file is overwritten where it lies, and a link is not followed", async (t) => {
  const folder = shortFolder(t);
  const [path, link] = [join(folder, "file"), join(folder, "link")];
  writeFileSync(path, "secret");
  symlinkSync(path, link);
  t.throws(() => eraseFile(link), { code: "ELOOP" });
  t.equal(readFileSync(path, "utf8"), "secret");
  eraseFile(path);
  eraseFile(path);
  t.notOk(existsSync(path));
});
