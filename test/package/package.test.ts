import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import t from "tap";

const root = resolve(import.meta.dirname, "../..");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const linked = JSON.parse(readFileSync(join(root, "dist/linked.json"), "utf8")) as Record<string, string[] | undefined>;
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

const platformPackage = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;

const packed = run("npm", ["pack", "--pack-destination", folder], { cwd: root });
const tarball = join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "nothing-was-packed");

/** Installs the tarball as on a machine without a registry: npm may ask nobody and has never seen a package. */
function installOffline(name: string): string {
  const prefix = join(folder, name);
  const empty = ["--offline", "--cache", join(folder, `${name}-cache`)];
  const installed = run("npm", ["install", "--global", "--prefix", prefix, ...empty, tarball]);
  t.equal(installed.status, 0, installed.stderr);
  return prefix;
}

/** The packages of an installation, by the folders that npm made. */
function packagesIn(prefix: string): string[] {
  const modules = join(prefix, "lib/node_modules/tidegate/node_modules");
  return existsSync(modules) ? readdirSync(modules).filter((name) => !name.startsWith(".")) : [];
}

t.equal(packed.status, 0, packed.stderr);

t.test("the tarball alone, installed without a registry, is a working tidegate on the Node of this project", async (t) => {
  const prefix = installOffline("alone");
  t.same(packagesIn(prefix), [], "nothing came with it");
  const entry = join(prefix, "lib/node_modules/tidegate/tidegate.mjs");
  const made = run(process.execPath, [entry, "vault", "init", "--data", join(folder, "vault-alone"), "--json"]);
  t.equal(made.status, 0, made.stderr);
  t.match(JSON.parse(made.stdout), { vaultId: String }, "sealing, signing and Argon2 run");
  t.equal(run(process.execPath, [entry, "model", "show", "eastron-sdm"]).status, 0, "data files are found");
});

t.test("every linked file loads, the libraries that only an adapter's process needs too", async (t) => {
  const chunks = join(root, "dist/chunks");
  const script = `for (const name of ${JSON.stringify(readdirSync(chunks))}) await import(${JSON.stringify(`${chunks}/`)} + name);`;
  const loaded = run(process.execPath, ["--input-type=module", "--eval", script]);
  t.equal(loaded.status, 0, loaded.stderr);
});

t.test("with the platform's Node package beside it the tarball works on the Node of the machine", async (t) => {
  const prefix = installOffline("with-node");
  // Where `npm install --global` of both tarballs puts it.
  symlinkSync(join(root, "node_modules", platformPackage), join(prefix, "lib/node_modules", platformPackage));

  const tidegate = join(prefix, "bin", "tidegate");
  const version = run(tidegate, ["--version"]);
  t.equal(version.status, 0, version.stderr);
  t.equal(version.stdout.trim(), manifest.version);
  t.equal(run(tidegate, ["no-such-command"]).status, 2, "exit codes come through");
  const tell = join(folder, "tell.cjs");
  writeFileSync(tell, `console.error(["started", process.versions.node, ...process.execArgv].join(" "))`);
  for (const path of [machinePath, `${dirname(process.execPath)}${delimiter}${machinePath}`]) {
    const env = { PATH: path, HOME: folder, NODE_OPTIONS: `--require ${tell}` };
    const started = spawnSync(tidegate, ["--version"], { encoding: "utf8", timeout: 110_000, env, cwd: folder });
    const last = started.stderr.trim().split("\n").at(-1);
    t.equal(last, `started ${process.versions.node} --min-semi-space-size=16`, "what runs has its memory laid out for readers");
  }
  const made = run(tidegate, ["vault", "init", "--data", join(folder, "vault"), "--json"]);
  t.equal(made.status, 0, made.stderr);
});

t.test("the packed tarball holds what it runs and nothing of the tests", async (t) => {
  const listed = run("tar", ["-tzf", tarball]);
  const paths = listed.stdout.split("\n").map((path) => path.replace(/^package\//, ""));
  for (const path of [
    "tidegate.mjs",
    "dist/cli/main.js",
    "dist/cli/edge-program.js",
    "dist/cli/gateway-program.js",
    "dist/linked.json",
    "dist/THIRD-PARTY-NOTICES",
    "LICENSE",
    "README.md",
    "ERRORS.md",
  ])
    t.ok(paths.includes(path), path);
  t.same(
    paths.filter((path) => /^(test|scripts|node_modules)\/|\.ts$|\.tgz$/.test(path)),
    [],
  );
});

t.test("the package needs no other package but Node, and runs nothing at install", async (t) => {
  t.equal(manifest.dependencies, undefined);
  t.same(
    Object.keys(manifest.optionalDependencies).filter((name) => !/^node-(linux|win)-(x64|arm64)$/.test(name)),
    [],
  );
  t.same(
    Object.keys(manifest.scripts).filter((name) => /^(pre|post)?(install|prepare|pack)$/.test(name)),
    [],
  );
});

t.test("the licence of each library whose code is in dist/ travels with it", async (t) => {
  const notices = readFileSync(join(root, "dist/THIRD-PARTY-NOTICES"), "utf8");
  const bundled = bundledPackages();
  t.ok(bundled.size > 20, "the linker says what each file is made of");
  for (const path of bundled) {
    const { name, version } = JSON.parse(readFileSync(join(root, path, "package.json"), "utf8"));
    t.ok(notices.includes(`\n${name} ${version} (`), `${name} ${version}`);
  }
});

t.test(
  "an edge starts without the code of the vault, the adapters, the admin API and the messages of other languages",
  async (t) => {
    const { packages } = staticImports("cli/edge-program.js", /^uplink-/);
    t.ok(packages.has("node_modules/ws") && packages.has("node_modules/zod"), "what it needs is found by this test");
    for (const path of ["kysely", "node-forge", "fastify", "modbus-serial", "net-snmp", "ssh2", "prom-client"])
      t.notOk(packages.has(`node_modules/${path}`), path);
    for (const role of ["edge", "gateway"]) {
      const { files } = staticImports(`cli/${role}-program.js`, /^$/);
      t.ok(files.size < 20, `${files.size} files of the ${role}: each takes a start most of a millisecond`);
    }
    const inputs = Object.values(linked).flatMap((each) => each ?? []);
    t.ok(inputs.some((input) => input.includes("zod/v4/")));
    t.notOk(
      inputs.some((input) => input.includes("zod/v4/locales/de.js")),
      "zod is imported as a namespace everywhere",
    );
  },
);

t.test("npm pack without dist/ fails instead of making a package that cannot run", async (t) => {
  const checkout = join(folder, "checkout");
  mkdirSync(checkout);
  for (const file of ["package.json", ".npmrc", "README.md", "tidegate.mjs"])
    copyFileSync(join(root, file), join(checkout, file));
  t.not(run("npm", ["pack"], { cwd: checkout }).status, 0);
  t.same(
    readdirSync(checkout).filter((name) => name.endsWith(".tgz")),
    [],
  );
});

/** Folders of the packages whose code stands in dist/. */
function bundledPackages(): ReadonlySet<string> {
  const files = readdirSync(join(root, "dist"), { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".js"));
  return new Set(files.flatMap((path) => packagesOf(path)));
}

/** What is loaded with an entry and with those chunks that it imports later and `later` names: files, and folders of their packages. */
function staticImports(entry: string, later: RegExp) {
  const chunks = readdirSync(join(root, "dist/chunks")).filter((name) => later.test(name));
  const files = new Set([entry, ...chunks.map((name) => `chunks/${name}`)]);
  const packages = new Set<string>();
  for (const path of files) {
    for (const name of packagesOf(path)) packages.add(name);
    const text = readFileSync(join(root, "dist", path), "utf8");
    for (const [, from = ""] of text.matchAll(/(?:\bimport|\bfrom) ?"(\.[^"]+)"/g)) files.add(join(path, "..", from));
  }
  return { files, packages };
}

/** By what the linker recorded of each file; one that it did not make fails. */
function packagesOf(path: string): string[] {
  const inputs = linked[path];
  if (inputs === undefined) throw new Error(`${path} is not recorded`);
  return inputs.flatMap((input) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? []);
}
