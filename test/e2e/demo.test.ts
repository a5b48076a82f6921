import { spawn } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import t, { type Test } from "tap";
import { findProgram } from "../peers/peer-process.ts";
import { descendantsOf, isAlive } from "./processes.ts";

// A machine that does four other things beside takes minutes for what takes 20 s.
t.setTimeout(240_000);

const root = resolve(import.meta.dirname, "../..");
const hasSnmp = findProgram("snmpd") !== null && findProgram("snmpget") !== null;

interface Told {
  readonly steps: number;
  readonly devices: readonly string[];
  readonly notRun: string | null;
  readonly folder: string | null;
}

/** `tidegate demo` as a user starts it; each line as it comes. */
function startDemo(t: Test, args: readonly string[]) {
  const child = spawn(process.execPath, ["tidegate.mjs", "demo", ...args], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  t.teardown(() => child.kill("SIGKILL"));
  const printed = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    printed.err += text;
  });
  const ended = new Promise<number | null>((done) => child.once("close", (code) => done(code)));
  return { pid: child.pid ?? 0, printed, ended, lines: createInterface({ input: child.stdout }) };
}

t.test("the demo proves every step on every device, and --keep leaves the folders", async (t) => {
  const demo = startDemo(t, ["--json", "--keep"]);
  t.equal(await demo.ended, 0, demo.printed.err.split("\n").slice(-5).join("\n"));
  const told = JSON.parse(demo.printed.out) as Told;
  const folder = told.folder ?? "";
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const paths = [...(hasSnmp ? ["line-4/switch-1/tidegate"] : []), "line-4/meter-1/setup"];
  t.same(told.devices, paths);
  t.equal(told.steps, 7 + 3 * paths.length, "three steps a device, seven for the plant");
  t.equal(told.notRun === null, hasSnmp);
  t.match(demo.printed.err, new RegExp(`^${told.steps} steps, all proven`, "m"));
  for (const name of ["vault", "gateway", "edge", "meter-1"]) t.ok(existsSync(join(folder, name)), `${name} is kept`);
  t.notOk(readdirSync(join(folder, "edge")).includes("run.json"), "and its process is gone");
  for (const [, pid] of demo.printed.err.matchAll(/pid (\d+)/g)) t.notOk(isAlive(Number(pid)), `process ${pid} is gone`);
});

t.test("interrupted in the middle, the demo leaves no process and no folder behind", async (t) => {
  const demo = startDemo(t, []);
  let folder = "";
  for await (const line of demo.lines) {
    folder = /in (\S*tidegate-demo-\S+)/.exec(line)?.[1] ?? folder;
    if (line.startsWith(" 2 ")) break;
  }
  const children = descendantsOf(demo.pid);
  t.ok(children.length > 0, "it has processes");
  process.kill(demo.pid, "SIGINT");
  t.equal(await demo.ended, 130);
  t.same(children.filter(isAlive), [], "each of them is gone");
  t.ok(folder !== "" && !existsSync(folder), "the folder is gone");
});

t.test("killed without a chance to say goodbye, the demo leaves no process behind", async (t) => {
  const demo = startDemo(t, []);
  let folder = "";
  for await (const line of demo.lines) {
    folder = /in (\S*tidegate-demo-\S+)/.exec(line)?.[1] ?? folder;
    if (line.startsWith(" 1 ")) break;
  }
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const children = descendantsOf(demo.pid);
  t.ok(children.length > 0, "it has processes");
  process.kill(demo.pid, "SIGKILL");
  await demo.ended;
  while (children.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 20));
  t.pass("each of them went by itself");
});
