import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { createAdminServer } from "../../agent/admin/index.ts";
import { auditRoute } from "../../agent/audit/index.ts";
import { createDataFolder } from "../../agent/data-folder/index.ts";
import { auditCommand } from "../../cli/commands/audit.ts";
import type { Frame } from "../../cli/frame/index.ts";
import { createOutput } from "../../cli/frame/output.ts";
import { createProgram } from "../../cli/program.ts";
import type { AuditEvent } from "../../protocol/audit/index.ts";
import { fill, member, openRig } from "../agent/audit/rig.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { shortFolder } from "../support/short-folder.ts";

/** Runs the command line in this process. */
async function run(words: string[], stop: Promise<string> = new Promise(() => {})) {
  const told = { stdout: "", stderr: "", exit: 0, bars: [] as number[] };
  const write = (stream: "stdout" | "stderr") => ({ write: (text: string) => (told[stream] += text) });
  const frame: Frame = {
    output: createOutput(words.includes("--json"), { stdout: write("stdout"), stderr: write("stderr") }),
    environment: { home: "/nowhere" },
    isTerminal: false,
    colours: false,
    secret: () => Promise.reject(new Error("no secret is needed")),
    progress: (_label, total) => ({ update: () => told.bars.push(total), end: () => {} }),
    exit: (code) => (told.exit = code),
    untilStopped: () => stop,
  };
  await createProgram(frame, [auditCommand], "0.0.0").parseAsync(["node", "tidegate", ...words]);
  return told;
}

async function sampleFolder(t: Test, size = 300): Promise<string> {
  const data = shortFolder(t);
  const store = new MemoryStore();
  const { log } = openRig({ store, folder: data });
  fill(store, log, size - 2);
  await log.close();
  return data;
}

t.test("verify ends with 0 for a whole log and says what it is", async (t) => {
  const data = await sampleFolder(t);
  const told = await run(["audit", "verify", data]);
  const { stdout: withCode } = await run(["audit", "verify", data, "--qr"]);
  t.match(withCode, "▀");
  t.notOk(withCode.includes("\u001b"), "a QR code in a pipe has no colours");
  t.equal(told.exit, 0);
  t.match(told.stdout, /entries {2}300, of which 300 are sealed\n.*\nOK: /s);
  t.match(told.stdout, Buffer.from(member.vaultId).toString("hex"));
  const [verdict] = JSON.parse((await run(["audit", "verify", data, "--json"])).stdout);
  t.match(verdict, { size: 300, sealedSize: 300, findings: [], nodeName: member.name });
});

t.test("verify names each finding with a hint and ends with the gravest one's code", async (t) => {
  const cases: [number, RegExp, (log: string) => void][] = [
    [101, /^EDIT at 298: .*\n {2}hint: /m, (log) => flip(join(log, "tile/entries/001.p/44"), -400)],
    [102, /^DELETE at 0: 256 entries/m, (log) => rmSync(join(log, "tile/entries/000"))],
    [104, /^TRUNCATED at 256: /m, (log) => rmSync(join(log, "tile/entries/001.p"), { recursive: true })],
    [107, /^UNSEALED-TAIL at 0: [\s\S]*^KEY-EPOCH at 300: /m, (log) => flip(join(log, "checkpoint"), -20)],
    [108, /^UNSEALED-TAIL at 0: 300 entries/m, (log) => rmSync(join(log, "checkpoint"))],
  ];
  for (const [exit, says, damage] of cases) {
    const data = await sampleFolder(t);
    damage(join(data, "audit", "0"));
    const told = await run(["audit", "verify", data]);
    t.equal(told.exit, exit);
    t.match(told.stdout, says);
    t.match(told.stdout, /NOT OK: /);
  }
});

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  const place = bytes.length + at;
  bytes[place] = (bytes[place] as number) ^ 1;
  writeFileSync(path, bytes);
}

t.test("an anchor that the log no longer reaches is a truncation", async (t) => {
  const data = await sampleFolder(t);
  const anchor = join(data, "anchor");
  writeFileSync(anchor, readFileSync(join(data, "audit/0/checkpoint")));
  t.equal((await run(["audit", "verify", data, "--anchor", anchor])).exit, 0);
  const young = await sampleFolder(t, 100);
  t.equal((await run(["audit", "verify", young])).exit, 0);
  t.equal((await run(["audit", "verify", young, "--anchor", anchor])).exit, 104);
});

t.test("what cannot be verified is an error, never OK", async (t) => {
  const empty = shortFolder(t);
  const data = await sampleFolder(t);
  await t.rejects(run(["audit", "verify", empty]), { code: "AUDIT_FOLDER_UNREADABLE", fault: "operator" });
  await t.rejects(run(["audit", "verify", join(empty, "missing")]), { code: "AUDIT_FOLDER_UNREADABLE" });
  await t.rejects(run(["audit", "verify", data, "--anchor", join(empty, "missing")]), { code: "CLI_FILE" });
  await t.rejects(run(["audit", "verify", data, "--anchor", join(data, "audit/0/member.cbor")]), {
    code: "AUDIT_ANCHOR_INVALID",
  });
  await t.rejects(run(["audit", "verify", data, "--vault-id", "00"]), {
    code: "AUDIT_FOLDER_KEYS",
    hint: /tidegate status/,
  });
  await t.rejects(run(["audit", "tail", "--lines", "x"]), { code: "CLI_USAGE" });
  rmSync(join(data, "audit/0/tile/entries"), { recursive: true });
  await t.rejects(run(["audit", "verify", data]), {
    code: "AUDIT_FOLDER_EMPTY",
    message: /NOTHING WAS VERIFIED.*the log has 300/,
    hint: /This is not OK/,
  });
});

t.test("tail prints the newest entries of a running node, and follows", async (t) => {
  const folder = createDataFolder(shortFolder(t));
  const store = new MemoryStore();
  const { log } = openRig({ store });
  fill(store, log, 30);
  const source = {
    head: () => log.head(),
    leaves: (from: number, limit: number) => log.leaves(from, limit),
    eventsSinceAnchor: () => log.eventsSinceAnchor(),
  };
  const quiet = new Proxy({}, { get: () => () => {} }) as Parameters<typeof createAdminServer>[0]["log"];
  const server = await createAdminServer({ socketPath: folder.adminSocket, routes: [auditRoute(source)], log: quiet });
  t.teardown(() => server.close());
  const tail = ["audit", "tail", "--data", folder.path];
  const told = await run([...tail, "--lines", "3"]);
  t.same(told.stdout.match(/^\d+/gm), ["28", "29", "30"]);
  t.match(
    told.stdout,
    / >=2023-11-14T22:13:25.000Z rotation.verified account:line-4\/plc-1\/admin by node:\S+ ok epoch=1 number=27\n/,
  );
  const json = await run([...tail, "--json"]);
  t.equal(json.stdout.trim().split("\n").length, 20);
  t.equal(JSON.parse(json.stdout.split("\n")[0] as string).index, 11);
  let stop = (_reason: string) => {};
  const following = run([...tail, "--follow", "--lines", "1"], new Promise((resolve) => (stop = resolve)));
  const hostile = "\u001b[2Jwiped\u009b";
  const event = {
    action: "device.hold",
    actor: { kind: "operator", id: hostile },
    subject: { kind: "device", id: "d" },
    outcome: "ok",
  };
  store.transaction((tx) => log.append(tx, event as AuditEvent));
  const asked = log.leaves(31, 1);
  t.equal(asked.length, 1);
  // The page after the next question holds the new leaf; the stop comes once the node was asked for it.
  const heard = new Promise<void>((resolve) => {
    const leaves = source.leaves;
    source.leaves = (from, limit) => {
      if (from >= 32) resolve();
      return leaves(from, limit);
    };
  });
  await heard;
  stop("SIGINT");
  const followed = await following;
  t.match(followed.stdout, /^31 .* by operator:\\u001b\[2Jwiped\\u009b ok$/m);
  await t.rejects(run(["audit", "tail", "--data", shortFolder(t)]), { code: "ADMIN_UNREACHABLE" });
});
