import { spawn } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import t, { type Test } from "tap";
import { findProgram } from "../peers/peer-process.ts";
import { runDemo } from "./built.ts";
import { descendantsOf, isAlive } from "./processes.ts";

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

t.test("the demo", { jobs: 2 }, async (t) => {
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

  t.test("without snmpd the demo says first and last what was not run, and proves the rest", async (t) => {
    const lines: string[] = [];
    const stream = { write: (text: string) => lines.push(...text.trimEnd().split("\n")) };
    const told = await runDemo({ keep: false, stream, version: "test", programFolders: ["/nonexistent"] });
    t.same(told.devices, ["line-4/meter-1/setup"]);
    t.equal(told.steps, 10);
    const notRun = /SNMPv3 part was NOT RUN.*apt-get install snmpd snmp/;
    t.match(lines.slice(0, 2).join("\n"), notRun, "before the first step");
    t.match(lines.at(-1), notRun, "in the last line");
    const folder = /in (\S*tidegate-demo-\S+)/.exec(lines[0] ?? "")?.[1] ?? "";
    t.ok(folder !== "" && !existsSync(folder), "without --keep nothing stays");
    for (const [, pid] of lines.join("\n").matchAll(/pid (\d+)/g)) t.notOk(isAlive(Number(pid)), `process ${pid} is gone`);
  });
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
