import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";
import { findProgram } from "../peers/peer-process.ts";
import { peerSuite } from "../peers/peer-suite.ts";
import { shortFolder } from "../support/short-folder.ts";
import { tracedEnvironment } from "./traced-environment.ts";

/** Real system calls fail here, made to by the tracer: SQLite, the high-water mark and Node have nothing to do with it. */
const strace = findProgram("strace");
const script = fileURLToPath(new URL("./disk-work.ts", import.meta.url));
/** Every call by its number, with FAULTS=all; else every so many-th. */
const every = process.env["FAULTS"] === "all";
/** No process here makes more calls of one kind. */
const mostCalls = 400;

interface Fault {
  readonly call: "pwrite64" | "fsync,fdatasync";
  readonly file: "node.db-wal" | "mark";
  readonly error: "ENOSPC" | "EIO" | "EROFS";
  /** Where not every call fails once: every so many-th. */
  readonly stride: number;
}

const faults: readonly Fault[] = [
  { call: "pwrite64", file: "node.db-wal", error: "ENOSPC", stride: 13 },
  { call: "pwrite64", file: "node.db-wal", error: "EROFS", stride: 43 },
  { call: "fsync,fdatasync", file: "node.db-wal", error: "EIO", stride: 4 },
  { call: "pwrite64", file: "mark", error: "EIO", stride: 6 },
];

interface End {
  readonly stopped?: string | null;
  readonly failed?: string;
  readonly state?: string;
  readonly candidates?: readonly number[];
  readonly readable?: boolean;
  readonly live: string;
  readonly failures?: number;
}

/** Runs the work in `folder`; its last word, and what the device saw. */
function run(folder: string, phase: string, tracer: readonly string[] = []): { end: End; touched: string[] } {
  const [program = "", ...args] = [...tracer, process.execPath, script, folder, phase];
  const { stdout, stderr } = spawnSync(program, args, { env: tracedEnvironment, encoding: "utf8" });
  const lines = stdout.trim().split("\n");
  const said = lines.map((line) => JSON.parse(line) as { touched?: string } & End);
  const end = said.at(-1);
  if (end === undefined || !("live" in end)) throw new Error(`the work ended without a word: ${stderr}`);
  return { end, touched: said.flatMap(({ touched }) => (touched === undefined ? [] : [touched])) };
}

/** Lets the `number`-th call fail, and all after it. Null where there was no such call. */
function failing(folder: string, { call, file, error }: Fault, number: number): ReturnType<typeof run> | null {
  mkdirSync(folder);
  const trace = `${folder}.trace`;
  const inject = call.split(",").flatMap((name) => ["-e", `inject=${name}:error=${error}:when=${number}+`]);
  const path = ["-P", join(folder, file)];
  const done = run(folder, "first", [
    strace ?? "",
    "-f",
    "--seccomp-bpf",
    "-qq",
    ...path,
    "-e",
    `trace=${call}`,
    ...inject,
    "-o",
    trace,
  ]);
  const injected = readFileSync(trace, "utf8").split("INJECTED").length - 1;
  // The writer stops for good: after the first refusal it does not try again. Only SQLite, as it closes, syncs once more, for what was synced
  // before.
  if (injected > (call === "pwrite64" ? 1 : 2)) throw new Error(`${injected} calls failed: the writer went on after the first`);
  return injected === 0 ? null : done;
}

await peerSuite(t, { name: "strace", packages: "strace", installed: strace !== null }, async (suite) => {
  suite.stated(/version (\S+)/.exec(spawnSync(strace ?? "", ["--version"], { encoding: "utf8" }).stdout)?.[1] ?? "not stated");
  for (const fault of faults) {
    const { call, file, error, stride } = fault;
    const title = `${error} at ${call} of ${file}: the writer stops, reads go on, nothing unrecorded is pushed, a restart recovers`;
    await suite.test(title, async (t) => {
      const parent = shortFolder(t);
      let met = 0;
      for (let number = 1; number < mostCalls; number += every ? 1 : stride) {
        const folder = join(parent, String(number));
        const first = failing(folder, fault, number);
        if (first === null) break;
        met += 1;
        const { end, touched } = first;
        const code = error === "ENOSPC" ? "STORE_NO_SPACE" : "STORE_IO";
        // Where the first refusal was taken quietly, as that of the log's own marks, the next transaction tells.
        const told = end.failed === "STORE_STOPPED" ? code : (end.failed ?? end.stopped);
        t.equal(told, code, `call ${number}: ${end.state ?? "not opened"}`);
        if (end.state !== undefined) {
          t.equal(end.readable, true);
          t.ok(end.candidates?.includes(end.live === "old" ? 0 : 1), "what is live is a candidate that is known");
        }
        if (end.failed !== undefined || end.state === "STAGED") t.notOk(touched.includes("push"));
        const { end: after } = run(folder, "again");
        t.match(
          after,
          { stopped: null, state: "VERIFIED", live: "new-1", candidates: [1], failures: 0 },
          `after call ${number}`,
        );
      }
      t.comment(`${met} calls failed, each in a process of its own`);
      t.ok(met >= (every ? 16 : 2));
    });
  }
});
