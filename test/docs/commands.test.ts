import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import t from "tap";

const root = resolve(import.meta.dirname, "../..");
const documents = [...readdirSync(root), ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`)].filter((path) =>
  path.endsWith(".md"),
);

/** The blocks of a document that are marked as runnable, in order. */
function blocks(path: string): string[] {
  return [...readFileSync(join(root, path), "utf8").matchAll(/^```sh test\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? "");
}

/** The addresses that a document shows, moved to loopback networks of this process: somebody may be trying the document right now. */
function ownAddresses(script: string): string {
  const network = `${(process.pid % 250) + 2}`;
  return script.replaceAll(/\b127\.(\d+)\.1\./g, `127.$1.${network}.`);
}

/** What a script left in the background ends with it, also where a command failed. */
const endJobs = "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT";

/** Runs the blocks of one document as one script in an empty folder. */
function run(script: string) {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-docs-"));
  const bin = join(folder, ".bin");
  spawnSync("mkdir", [bin]);
  writeFileSync(join(bin, "tidegate"), `#!/bin/sh\nexec ${process.execPath} ${join(root, "tidegate.mjs")} "$@"\n`, {
    mode: 0o755,
  });
  try {
    return spawnSync("bash", ["-euo", "pipefail", "-c", `${endJobs}\n${script}`], {
      cwd: folder,
      encoding: "utf8",
      timeout: 90_000,
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: `${bin}:${process.env["PATH"]}`, HOME: folder, XDG_STATE_HOME: join(folder, "state"), LANG: "C.UTF-8" },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

for (const path of documents) {
  const script = ownAddresses(blocks(path).join("\n"));
  if (script === "") continue;
  const skip = /^.*\bcurl --/m.test(script) && spawnSync("curl", ["--version"]).status !== 0 ? "curl is not installed" : false;
  t.test(`the commands that ${path} shows run as shown`, { skip }, async (t) => {
    const done = run(script);
    t.equal(done.status, 0, `${done.stdout}\n${done.stderr}`.slice(-4000));
  });
}

t.test("a document whose command fails is caught", async (t) => {
  t.not(run("false\ntrue").status, 0);
});

t.test("at least one document shows commands that are run", async (t) => {
  t.ok(documents.some((path) => blocks(path).length > 0));
});

t.test(
  "a document shows an application's call with its token, the authority and the header that every call needs",
  async (t) => {
    const shown = documents.flatMap(blocks).join("\n");
    t.match(shown, /curl (?=[^;]*--cacert gateway\/ca\.pem)(?=[^;]*X-Tidegate-Request: true)[^;]*\/v1\/credentials\//);
  },
);

t.test("every check of a node's health has its row for who watches it", async (t) => {
  const source = ["agent/node/node-health.ts", "agent/member/follow-space.ts", "vault/follow-space.ts"];
  const code = source.map((path) => readFileSync(join(root, path), "utf8")).join("\n");
  const names = new Set([...code.matchAll(/name: "([a-z-]+)", ok/g)].map((match) => match[1] ?? ""));
  const shown = readFileSync(join(root, "docs/operations.md"), "utf8");
  t.ok(names.size > 5);
  for (const name of names) t.match(shown, new RegExp(`^\\| check \`${name}\` red`, "m"), name);
});
