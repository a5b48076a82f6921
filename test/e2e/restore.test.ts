import { execFile, execFileSync } from "node:child_process";
import { cpSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { until } from "./built.ts";
import { type DemoDevice, Plant } from "./plant.ts";

t.setTimeout(240_000);
const tidegate = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** Runs `tidegate` on the vault's folder as an operator does; what it prints goes into the test's output. */
function atTheVault(
  t: Test,
  plant: Plant,
  words: readonly string[],
): Promise<{ readonly exit: number; readonly out: string; readonly err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [tidegate, ...words, "--data", plant.folder("vault")], { env: {} }, (error, out, err) => {
      t.comment(`$ tidegate ${words.join(" ")}\n${out}${err}`);
      resolve({ exit: Number(error?.code ?? 0), out, err });
    });
  });
}

/** A plant with one meter, what was carried away from its vault, and an application that reads the meter's password at the gateway. */
async function plantWithMeter(t: Test) {
  const plant = await Plant.start(t, { authPassword: "factory-auth-0000", privPassword: "factory-priv-0000" });
  const meter = plant.devices.at(-1);
  if (meter === undefined) throw new Error("no meter");
  // One device is enough here.
  plant.devices.splice(0, plant.devices.length, meter);
  await plant.adopt();
  const away = join(plant.system.root, "away");
  cpSync(join(plant.folder("vault"), "keys"), away, { recursive: true });
  return { plant, meter, away, file: join(plant.system.root, "vault.backup") };
}

async function rotated(plant: Plant, meter: DemoDevice): Promise<string> {
  const { version } = await plant.reveal(meter.path);
  t.equal(await plant.ordered(await plant.order(meter.path)), "done");
  return until("the vault to learn of it", async () => {
    const now = await plant.reveal(meter.path);
    return now.version === version ? null : now.version;
  });
}

interface NodeAnswer {
  readonly name: string;
  readonly state: string;
}

const states = async (plant: Plant) =>
  (await plant.call<NodeAnswer[]>("vault", "GET", "/v1/nodes")).map(({ name, state }) => `${name} ${state}`);

async function escrowed(plant: Plant, epoch: number): Promise<void> {
  await until("the edge's escrow", async () => {
    const { escrows } = await plant.call<{ escrows: { epoch: number }[] }>("vault", "GET", "/v1/escrows");
    return escrows.some((each) => each.epoch === epoch) || null;
  });
}

async function works(t: Test, plant: Plant, meter: DemoDevice, version: string): Promise<void> {
  const shown = await plant.reveal(meter.path);
  t.equal(shown.version, version);
  t.ok(await meter.accepts(shown.fields), `${version} is what the device takes`);
}

t.test("incident 10: a vault is restored from a backup, and no password that was set since is lost", async (t) => {
  const { plant, meter, away, file } = await plantWithMeter(t);
  const token = await plant.application("historian", "gw-1", meter.path);
  await plant.reads("gateway", meter.path, token);
  t.equal((await atTheVault(t, plant, ["vault", "backup", file])).exit, 0);
  await rotated(plant, meter);
  const live = await rotated(plant, meter);
  t.ok(["1.2", "2.2"].includes(live), "rotated twice since");

  const key = ["--key-file", join(away, "key-file")];
  t.match((await atTheVault(t, plant, ["vault", "restore", file, ...key])).err, /DATA_LOCKED/);
  await plant.stop("vault");
  t.match((await atTheVault(t, plant, ["vault", "restore", file, ...key])).err, /VAULT_FOLDER_NOT_EMPTY/);
  rmSync(plant.folder("vault"), { recursive: true });
  const root = ["--root-key", join(away, "root.sealed")];
  const restored = await atTheVault(t, plant, ["vault", "restore", file, ...key, ...root]);
  t.match(restored.out, /vault epoch 2: every node is unsettled/);
  t.match(restored.out, /new tokens: tidegate app token NAME, for historian/);
  cpSync(join(away, "key-file"), join(plant.folder("vault"), "keys", "key-file"));
  await plant.run("vault");

  t.same(await states(plant), ["edge-1 unsettled", "gw-1 unsettled"]);
  t.match((await atTheVault(t, plant, ["device", "show", "line-4/meter-1"])).out, /UNSETTLED/);
  await escrowed(plant, 2);
  const learned = await atTheVault(t, plant, ["vault", "recover-escrow", "--recovery-key", join(away, "recovery.sealed")]);
  t.match(learned.out, /every account may be issued to again/);
  await works(t, plant, meter, live);
  await until("all to be settled", async () => (await states(plant)).every((each) => each.endsWith("active")) || null);
  const next = await rotated(plant, meter);
  t.not(next, live, "and it goes on");
  await works(t, plant, meter, next);
  const again = await plant.call<{ token: string }>("vault", "POST", "/v1/applications/historian/token");
  t.match((await plant.reads("gateway", meter.path, again.token)).text, new RegExp(`"version":"${next.replace(".", "\\.")}"`));
  const old = await plant.get("gateway", `/v1/credentials/${meter.path}`, token);
  t.equal(old.status, 401, "the token of before is void");
  t.same(await plant.close(), []);
});

t.test(
  "an old copy of the vault's folder that somebody just puts back is found out by its edge, and nothing is lost",
  async (t) => {
    const { plant, meter, away } = await plantWithMeter(t);
    const folder = plant.folder("vault");
    await plant.stop("vault");
    execFileSync("cp", ["-a", folder, `${folder}-old`]);
    await plant.run("vault");
    await rotated(plant, meter);
    const live = await rotated(plant, meter);
    await plant.stop("vault");
    await plant.stop("edge");
    renameSync(folder, `${folder}-new`);
    renameSync(`${folder}-old`, folder);
    await plant.run("vault");
    // Under the old epoch, before anybody has told it anything, the vault issues what the edge has under other numbers.
    await plant.system.vault(["credential", "set", meter.path, "--from-stdin"], "7777");
    await plant.addAbsent("absent-1", "first");
    await plant.addAbsent("absent-2", "first");
    await plant.run("edge");
    await until("the edge to be seen", async () => (await states(plant)).includes("edge-1 behind") || null);
    const alarms = await plant.call<{ code: string; nodeName: string }[]>("vault", "GET", "/v1/alarms");
    t.ok(
      alarms.some(({ code, nodeName }) => code === "INGEST_STORE_BEHIND" && nodeName === "edge-1"),
      "named",
    );
    t.notOk(
      alarms.some(({ code }) => code === "INGEST_CLONE"),
      "and not taken for a clone",
    );

    t.equal((await atTheVault(t, plant, ["vault", "raise-epoch", "--root-key", join(away, "root.sealed")])).exit, 0);
    await escrowed(plant, 2);
    await atTheVault(t, plant, ["vault", "recover-escrow", "--recovery-key", join(away, "recovery.sealed")]);
    await until("all to be settled", async () => (await states(plant)).every((each) => each.endsWith("active")) || null);
    const kept = (await plant.history(meter.path)).map(({ version }) => version);
    t.ok(kept.includes(live), `${live} is known again`);
    const { fields } = await plant.reveal(meter.path, live);
    t.ok(await meter.accepts(fields), "and is what the device takes");
    await plant.system.edgeHolds("line-4/absent-2/ops");
    const next = await rotated(plant, meter);
    await works(t, plant, meter, next);
    t.same(await plant.close(), []);
  },
);
