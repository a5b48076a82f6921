import { execFile, execFileSync } from "node:child_process";
import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import type { NodeRole } from "../../agent/data-folder/index.ts";
import { until } from "./built.ts";
import { Plant } from "./plant.ts";

t.setTimeout(240_000);
const tidegate = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

interface Said {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `tidegate` as an operator does; what it prints goes into the test's output. */
function operator(t: Test, words: readonly string[]): Promise<Said> {
  return new Promise((resolve) => {
    execFile(process.execPath, [tidegate, ...words], { env: {} }, (error, out, err) => {
      t.comment(`$ tidegate ${words.join(" ")}\n${out}${err}`);
      resolve({ exit: Number(error?.code ?? 0), out, err });
    });
  });
}

t.test("root, keys and membership change on a running plant, and its nodes follow", async (t) => {
  const plant = await Plant.start(t, { authPassword: "factory-Secret-1", privPassword: "factory-Secret-2" });
  const { system } = plant;
  const at = (name: string) => join(system.root, name);
  const on = (role: NodeRole, ...words: readonly string[]) => operator(t, [...words, "--data", plant.folder(role)]);
  const path = await plant.addAbsent("absent-1", "first");
  await system.edgeHolds(path, "1.0");
  const holds = async (secret: string) => {
    const input = `authPassword=${secret}A\nprivPassword=${secret}P`;
    const { version } = await system.vault<{ version: string }>(["credential", "set", path, "--from-stdin"], input);
    await system.edgeHolds(path, version);
  };

  await t.test("two of three keys speak for the vault, and an edge that slept catches up", async (t) => {
    await plant.stop("edge");
    const keyFile = join(plant.folder("vault"), "keys", "key-file");
    const keys: string[] = [];
    for (const name of ["a", "b", "c"]) {
      const { out } = await operator(t, ["root", "key", "--out", at(name), "--key-file", keyFile]);
      keys.push(/public key ([0-9a-f]{64})/.exec(out)?.[1] ?? "");
    }
    const before = /^ {2}([0-9a-f]{64})$/m.exec((await on("vault", "root", "show")).out)?.[1] ?? "";
    const change = [...keys.flatMap((key) => ["--add-key", key]), "--remove-key", before, "--threshold", "2"];
    await on("vault", "root", "rotate", "--draft", at("draft"), ...change);
    const sign = (name: string) => operator(t, ["root", "sign", at("draft"), "--root-key", name, "--key-file", keyFile]);
    await sign(join(plant.folder("vault"), "keys", "root.sealed"));
    await sign(at("a"));
    t.match((await on("vault", "root", "apply", at("draft"))).err, /TRUST_ROOT_SIGNATURES/);
    await sign(at("c"));
    t.match((await on("vault", "root", "apply", at("draft"))).out, /root 2 counts/);
    await plant.run("edge");
    await holds("second");
  });

  await t.test("an edge gets new keys through its gateway, and what has only the old ones is refused", async (t) => {
    await on("vault", "node", "rekey", "edge-1", "--out", at("code"));
    await plant.stop("edge");
    const folder = plant.folder("edge");
    execFileSync("cp", ["-a", folder, `${folder}-old`]);
    t.match((await on("edge", "edge", "rekey", "--from-file", at("code"))).out, /edge-1 has new keys, statement 2/);
    await plant.run("edge");
    await holds("third");
    const doctor = await on("edge", "doctor");
    t.match(doctor.out, /reachability: .* answers/);
    t.match(doctor.out, /TLS: end to end/);
    t.notMatch(doctor.out, /^ {2}failure {2}(reachability|TLS|store|configuration|permissions|process)/m);
    await plant.stop("edge");
    renameSync(folder, `${folder}-new`);
    renameSync(`${folder}-old`, folder);
    await plant.run("edge");
    await until("the old keys to be refused", async () => {
      const { tunnel } = await system.status<{ tunnel: { state: string; lastCode?: string | null } }>("edge");
      return tunnel.lastCode != null || null;
    });
    await plant.stop("edge");
    rmSync(folder, { recursive: true });
    renameSync(`${folder}-new`, folder);
    await plant.run("edge");
    await holds("fourth");
  });

  await t.test("a revoked gateway is left by its edge, whose own store is ended by a decommission", async (t) => {
    const revoked = await on("vault", "node", "revoke", "gw-1", "--reason", "taken over");
    t.match(revoked.out, /gateway gw-1 is revoked/);
    t.match(revoked.out, /behind it: edge-1/);
    await until("the gateway to be cut off", async () => {
      const { tunnel } = await system.status<{ tunnel: { state: string } }>("gateway");
      return tunnel.state !== "open" || null;
    });
    t.match((await on("edge", "edge", "decommission", "--yes")).err, /DATA_LOCKED/);
    await plant.stop("edge");
    t.match((await on("edge", "edge", "decommission")).err, /CLI_USAGE/);
    t.match((await on("edge", "edge", "decommission", "--yes", "--force")).out, /nobody any more/);
    t.equal((await on("edge", "edge", "run", "--key-file", at("a"))).exit, 65, "it starts no more");
  });
  t.same(await plant.close(), []);
});
