import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { shortFolder } from "../support/short-folder.ts";
import { MediaRig } from "./media-rig.ts";
import { run } from "./run.ts";

t.test("media inspect tells what is there, and its exit code whether it would be taken", async (t) => {
  const rig = await MediaRig.make(t);
  await rig.edge("edge-1", "plant");
  const stick = rig.stick();
  await t.rejects(run(["media", "inspect", stick]), { code: "MEDIA_EMPTY" });
  await t.rejects(run(["media", "inspect", join(stick, "gone")]), { code: "MEDIA_NOT_FOUND", hint: /./ });
  await t.rejects(run(["media", "inspect", import.meta.filename]), { code: "MEDIA_NOT_FOUND", hint: /./ });
  await t.rejects(rig.atVault.write("/proc"), { code: "MEDIA_NOT_FOUND" }, "a folder in which nothing can be made");
  const { files } = await rig.atVault.write(stick);
  const plain = await run(["media", "inspect", stick]);
  t.equal(plain.exit, 0);
  t.match(plain.stdout, /vault: whole, signature holds, \d bundles?, written 2030/);
  const { folders } = JSON.parse((await run(["media", "inspect", stick, "--json"])).stdout);
  t.equal(folders[0].files.length, files.length);
  t.equal((await run(["media", "inspect", stick, "--vault-id", folders[0].vaultId])).exit, 0);
  const other = await run(["media", "inspect", stick, "--vault-id", "00".repeat(32)]);
  t.equal(other.exit, 1, "of another vault");
  const folder = join(stick, "TIDEGATE", rig.atVault.id);
  writeFileSync(join(folder, readdirSync(folder).find((name) => name.endsWith(".bundle")) ?? ""), "");
  const bad = await run(["media", "inspect", stick]);
  t.equal(bad.exit, 65);
  t.match(bad.stdout, /would be refused.*MEDIA_INCOMPLETE/);
});

t.test("where no node answers, nothing is written or taken", async (t) => {
  const mount = shortFolder(t);
  const data = ["--data", join(mount, "nobody")];
  await t.rejects(run(["media", "write", mount, ...data]), { code: "ADMIN_UNREACHABLE" });
  t.same(readdirSync(mount), []);
  const rig = await MediaRig.make(t);
  await rig.atVault.write(mount);
  await t.rejects(run(["media", "read", mount, ...data]), { code: "ADMIN_UNREACHABLE" });
});
