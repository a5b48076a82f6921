import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { findProgram } from "../peers/peer-process.ts";
import { peerSuite } from "../peers/peer-suite.ts";
import { shortFolder } from "../support/short-folder.ts";
import { tracedEnvironment } from "./traced-environment.ts";

/** What a kill cannot show: the kernel keeps what a killed process wrote. So the calls themselves are looked at. */
const strace = findProgram("strace");

/** An acknowledgement, and whether the store's journal was synced, successfully, since the one before. */
interface Acknowledged {
  readonly what: string;
  readonly synced: boolean;
}

/** Runs one work of synced-work.ts under strace. */
function traced(t: Test, work: string, { planted = "", inject = "" } = {}): Acknowledged[] {
  const folder = shortFolder(t);
  const out = join(folder, "trace");
  const script = fileURLToPath(new URL("./synced-work.ts", import.meta.url));
  const faults = inject === "" ? [] : ["-e", `inject=${inject}`];
  const calls = ["-f", "--seccomp-bpf", "-y", "-qq", "-s", "64", "-e", "trace=fdatasync,fsync,write", ...faults, "-o", out];
  execFileSync(strace ?? "", [...calls, process.execPath, script, folder, work, planted], {
    env: tracedEnvironment,
    stdio: "pipe",
  });
  const found: Acknowledged[] = [];
  let synced = false;
  let waiting = false;
  for (const line of readFileSync(out, "utf8").split("\n")) {
    const sync = /\bf(?:data)?sync\(\d+<[^>]*node\.db-wal>(.*)/.exec(line)?.[1];
    const resumed = /<\.\.\. f(?:data)?sync resumed>(.*)/.exec(line)?.[1];
    if (sync?.includes("unfinished")) waiting = true;
    else if (sync?.endsWith("= 0") || (waiting && resumed?.endsWith("= 0"))) synced = true;
    const what = /\bwrite\(1<[^>]*>, "acknowledge ([^"\\]*)/.exec(line)?.[1];
    if (what === undefined) continue;
    found.push({ what, synced });
    synced = false;
    waiting = false;
  }
  return found;
}

await peerSuite(t, { name: "strace", packages: "strace", installed: strace !== null }, async (suite) => {
  suite.stated(/version (\S+)/.exec(execFileSync(strace ?? "", ["--version"], { encoding: "utf8" }))?.[1] ?? "not stated");

  for (const work of ["node", "vault"]) {
    await suite.test(`the ${work} store syncs its journal between a commit and its acknowledgement, each time`, async (t) => {
      const found = traced(t, work).filter(({ what }) => what.startsWith("commit"));
      t.equal(found.length, 20);
      t.same(
        found.filter(({ synced }) => !synced),
        [],
      );
    });

    await suite.test(`planted: with synchronous=OFF behind its back the ${work} store is caught`, async (t) => {
      const found = traced(t, work, { planted: "unsynced" }).filter(({ what }) => what.startsWith("commit"));
      t.equal(found.length, 20, "every commit seemed to work");
      t.ok(found.filter(({ synced }) => !synced).length >= 19, "and none was on the disk");
    });
  }

  await suite.test(
    "leaves of reads wait for no sync, have theirs within the window, and what waits for the disk still does",
    async (t) => {
      const kinds = ["read", "synced", "commit"];
      const found = (planted: string) => {
        const all = traced(t, "reads", { planted }).filter(({ what }) => kinds.includes(what.split(" ")[0] ?? ""));
        t.equal(all.length, 60);
        return kinds.map((kind) => all.filter(({ what, synced }) => what.startsWith(kind) && synced).length);
      };
      t.same(found(""), [0, 20, 20]);
      t.same(found("unsynced reads"), [0, 0, 20], "planted: a sync that only says that it worked is caught");
      t.same(found("unsynced"), [0, 20, 0], "planted: synchronous=OFF is caught");
    },
  );

  await suite.test("a disk that refuses the sync of the reads stops the writer, and reads go on", async (t) => {
    const found = traced(t, "reads", { inject: "fdatasync:error=EIO" });
    t.same(
      found.map(({ what }) => what),
      ["opened", "read 2", "STORE_IO 2"],
    );
  });

  await suite.test("each exchange with a device is on the disk before its first byte leaves", async (t) => {
    const found = traced(t, "rotation");
    t.same(
      found.map(({ what }) => what),
      ["opened", "verify", "prepare", "push", "verify", "save", "verify", "new-1"],
    );
    t.same(
      found.slice(1).filter(({ synced }) => !synced),
      [],
    );
    const planted = traced(t, "rotation", { planted: "unsynced" });
    t.ok(
      planted.some(({ what, synced }) => what === "push" && !synced),
      "planted: a push before its intent is on the disk is caught",
    );
  });
});
