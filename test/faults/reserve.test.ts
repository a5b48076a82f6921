import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";
import { findProgram } from "../peers/peer-process.ts";
import { peerSuite } from "../peers/peer-suite.ts";
import { shortFolder } from "../support/short-folder.ts";
import { tracedEnvironment } from "./traced-environment.ts";

/** As in disk.test.ts real system calls fail, but once: what fails then is what the reserve makes room for. */
const strace = findProgram("strace");
const script = fileURLToPath(new URL("./disk-work.ts", import.meta.url));
/** Every write by its number, with FAULTS=all; else every so many-th. */
const stride = process.env["FAULTS"] === "all" ? 1 : 17;
/** The work makes fewer writes. */
const mostWrites = 400;

interface End {
  readonly failed?: string;
  readonly stopped?: string | null;
  readonly state?: string;
  readonly live?: string;
  readonly reserved?: boolean;
}

/** Lets the `number`-th write to the store's journal find the disk full. Null where there was no such write. */
function fullAt(folder: string, number: number): End | null {
  mkdirSync(folder);
  const trace = `${folder}.trace`;
  const inject = `inject=pwrite64:error=ENOSPC:when=${number}`;
  const tracer = [
    "-f",
    "--seccomp-bpf",
    "-qq",
    "-P",
    join(folder, "node.db-wal"),
    "-e",
    "trace=pwrite64",
    "-e",
    inject,
    "-o",
    trace,
  ];
  const { stdout, stderr } = spawnSync(strace ?? "", [...tracer, process.execPath, script, folder, "reserved"], {
    env: tracedEnvironment,
    encoding: "utf8",
  });
  const end = JSON.parse(stdout.trim().split("\n").at(-1) ?? "null") as End | null;
  if (end === null || !("live" in end)) throw new Error(`the work ended without a word: ${stderr}`);
  return readFileSync(trace, "utf8").includes("INJECTED") ? end : null;
}

await peerSuite(t, { name: "strace", packages: "strace", installed: strace !== null }, async (suite) => {
  suite.stated(/version (\S+)/.exec(spawnSync(strace ?? "", ["--version"], { encoding: "utf8" }).stdout)?.[1] ?? "not stated");
  await suite.test("wherever the disk is full, the reserve lets a rotation come to its end with all its leaves", async (t) => {
    const parent = shortFolder(t);
    let met = 0;
    for (let number = 1; number < mostWrites; number += stride) {
      const end = fullAt(join(parent, String(number)), number);
      if (end === null) break;
      met += 1;
      t.match(end, { stopped: null, state: "VERIFIED", live: "new-1", reserved: false }, `write ${number}`);
    }
    t.comment(`${met} writes found the disk full`);
    t.ok(met >= 3);
  });
});
