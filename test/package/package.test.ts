import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import t from "tap";

const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "tidegate-package-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

/** PATH without this project's own Node, so that the machine's Node answers, whatever its version. */
const machinePath = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((entry) => !entry.includes("node_modules"))
  .join(delimiter);

function run(command: string, args: readonly string[], options: { cwd?: string } = {}) {
  const env = { PATH: machinePath, HOME: process.env["HOME"] ?? folder, LANG: "C.UTF-8" };
  return spawnSync(command, args, { encoding: "utf8", timeout: 110_000, env, cwd: options.cwd ?? folder });
}

t.test("the packed tarball, installed globally, is a working tidegate on the Node of the machine", async (t) => {
  const packed = run("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], { cwd: root });
  t.equal(packed.status, 0, packed.stderr);
  const [tarball = ""] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  const installed = run("npm", [
    "install",
    "--global",
    "--prefix",
    join(folder, "prefix"),
    "--prefer-offline",
    join(folder, tarball),
  ]);
  t.equal(installed.status, 0, installed.stderr);

  const tidegate = join(folder, "prefix", "bin", "tidegate");
  const version = run(tidegate, ["--version"]);
  t.equal(version.status, 0, version.stderr);
  t.match(version.stdout, /^\d+\.\d+\.\d+\s*$/);
  t.equal(run(tidegate, ["no-such-command"]).status, 2, "exit codes come through");

  const made = run(tidegate, ["vault", "init", "--data", join(folder, "vault"), "--json"]);
  t.equal(made.status, 0, made.stderr);
  t.match(
    JSON.parse(made.stdout),
    { vaultId: String },
    "a vault can be made: sealing, signing and Argon2 run on the packaged Node",
  );
});

t.test("the packed tarball holds what it runs and nothing of the tests", async (t) => {
  const listed = run("npm", ["pack", "--ignore-scripts", "--dry-run", "--json"], { cwd: root });
  const [pack] = JSON.parse(listed.stdout) as [{ files: { path: string }[] }];
  const paths = pack.files.map(({ path }) => path);
  for (const path of ["tidegate.mjs", "dist/cli/main.js", "LICENSE", "README.md", "ERRORS.md"])
    t.ok(paths.includes(path), path);
  t.same(
    paths.filter((path) => /^(test|scripts|node_modules)\/|\.ts$|\.tgz$/.test(path)),
    [],
  );
});
