import { chmodSync, mkdirSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import t from "tap";
import { createAdminServer } from "../../agent/admin/index.ts";
import { createDataFolder, dataFolderAt, writeRunFile } from "../../agent/data-folder/index.ts";
import type { ForwardStatus } from "../../agent/forward/index.ts";
import { createLog } from "../../agent/log/index.ts";
import { examine, type Finding, type MachineFacts } from "../../cli/doctor/index.ts";
import { vaultRoutes } from "../../vault/admin/index.ts";
import { createAuthority } from "../../vault/ca/index.ts";
import { shortFolder } from "../support/short-folder.ts";
import { random } from "../vault/rig.ts";
import { VaultRig } from "../vault/vault-rig.ts";
import { run } from "./run.ts";

const nowMs = Date.UTC(2030, 0, 1);

/** A machine as it should be, but for what a case says. */
function machine(more: Partial<MachineFacts> = {}, files: Readonly<Record<string, string>> = {}): MachineFacts {
  const texts: Readonly<Record<string, string>> = {
    "/sys/class/rtc/rtc0/name": "rtc_cmos\n",
    "/proc/swaps": "Filename Type Size Used Priority\n",
    "/proc/self/limits": "Max core file size        0                    unlimited            bytes\n",
    "/proc/sys/kernel/core_pattern": "core\n",
    ...files,
  };
  return {
    nowMs,
    nodeVersion: "24.21.0",
    platform: "linux",
    umask: 0o077,
    uid: process.getuid?.() ?? null,
    text: (path) => texts[path] ?? null,
    lookup: (host) => (host === "127.0.0.1" ? Promise.resolve() : Promise.reject(new Error("ENOTFOUND"))),
    space: () => ({ free: 10e9, total: 20e9, type: 0xef53 }),
    ...more,
  };
}

/** What is not as it should be, by check. */
async function amiss(paths: readonly string[], facts: MachineFacts): Promise<Record<string, string>> {
  const findings: Finding[] = (await examine(paths, facts)).flatMap((each) => each.findings);
  if (findings.some(({ hint, state }) => (hint === null) !== (state === "ok"))) throw new Error("a finding without a hint");
  return Object.fromEntries(findings.filter(({ state }) => state !== "ok").map(({ check, state }) => [check, state]));
}

t.test("a machine that is not fit is told what is wrong with it, one thing at a time", async (t) => {
  const limits = "Max core file size        unlimited            unlimited            bytes\n";
  const cases: [string, MachineFacts, Record<string, string>][] = [
    ["all is well", machine(), {}],
    ["Node 20", machine({ nodeVersion: "20.20.2" }), { runtime: "failure" }],
    ["another system", machine({ platform: "darwin" }), { runtime: "warning" }],
    ["1970", machine({ nowMs: 86_400_000 }), { clock: "failure" }],
    ["2100", machine({ nowMs: Date.UTC(2100, 0, 1) }), { clock: "failure" }],
    ["umask 022", machine({ umask: 0o022 }), { umask: "warning" }],
    ["swap", machine({}, { "/proc/swaps": "Filename\n/dev/sda2 partition 1 0 -2\n" }), { swap: "warning" }],
    ["compressed memory", machine({}, { "/proc/swaps": "Filename\n/dev/zram0 partition 1 0 -2\n" }), {}],
    ["cores", machine({}, { "/proc/self/limits": limits }), { "core dumps": "warning" }],
    ["cores to a program", machine({}, { "/proc/sys/kernel/core_pattern": "|/usr/lib/x %P\n" }), { "core dumps": "warning" }],
    [
      "no clock of its own",
      { ...machine(), text: (path) => (path.startsWith("/sys") ? null : machine().text(path)) },
      { "hardware clock": "warning" },
    ],
  ];
  for (const [name, facts, expected] of cases) t.same(await amiss([], facts), expected, name);
});

t.test("a vault's folder is examined whether it runs or not, and nothing is changed in it", async (t) => {
  const rig = await VaultRig.make(t);
  const facts = machine({ nowMs: Date.now() });
  const stopped = { keys: "warning", process: "warning" };
  t.same(await amiss([rig.folder], facts), stopped, "the root's key still lies there, and nobody runs");
  const forwards: ForwardStatus[] = [];
  const address = "127.0.0.1:1";
  const context = {
    core: rig.core,
    wake: () => {},
    connected: () => false,
    vaultAddress: () => address,
    forwards: () => forwards,
  };
  const routes = vaultRoutes(context);
  const socketPath = join(rig.folder, "admin.sock");
  const server = await createAdminServer({ socketPath, routes, log: createLog({ level: "silent", node: "vault" }) });
  t.teardown(() => server.close());
  writeRunFile(dataFolderAt(rig.folder), { role: "vault", pid: process.pid, nodeId: "x", listeners: {} });
  const running = { ...facts, text: (path: string) => facts.text(path.replace(String(process.pid), "self")) };
  for (const name of ["root", "recovery"]) rmSync(join(rig.folder, "keys", `${name}.sealed`));
  t.same(await amiss([rig.folder], running), {}, "all is well");
  const stands = { to: "tcp siem:601", format: "json", state: "waiting", next: 0, sent: 0, lastHint: null } as const;
  forwards.push(
    { ...stands, name: "well", behind: 3, missed: 0, lastCode: null },
    { ...stands, name: "gone", behind: 7, missed: 0, lastCode: "FORWARD_UNREACHABLE" },
    { ...stands, name: "gap", behind: 0, missed: 9, lastCode: null },
  );
  t.same(await amiss([rig.folder], running), { "forward: gone": "warning", "forward: gap": "warning" });
  await server.close();
  t.same(await amiss([rig.folder], running), { process: "failure" }, "run.json, and nobody answers");
  rmSync(join(rig.folder, "run.json"));

  const cases: [string, () => void, Record<string, string>, Partial<MachineFacts>?][] = [
    ["a full disk", () => {}, { "disk space": "failure" }, { space: () => ({ free: 1e6, total: 20e9, type: 0xef53 }) }],
    ["a disk that fills", () => {}, { "disk space": "warning" }, { space: () => ({ free: 0.9e9, total: 20e9, type: 0xef53 }) }],
    ["memory only", () => {}, { "disk space": "warning" }, { space: () => ({ free: 10e9, total: 20e9, type: 0x01021994 }) }],
    ["another user's", () => {}, { permissions: "failure" }, { uid: 4_000_000 }],
    ["an open file", () => chmodSync(join(rig.folder, "tidegate.yaml"), 0o644), { permissions: "failure" }],
    [
      "a bad key in it",
      () => writeFileSync(join(rig.folder, "tidegate.yaml"), "tunnel: { listen: 7 }\n"),
      { permissions: "failure", configuration: "failure" },
    ],
    ["no configuration", () => rmSync(join(rig.folder, "tidegate.yaml")), { configuration: "failure" }],
  ];
  for (const [name, change, expected, more] of cases) {
    change();
    const withLife = "configuration" in expected && name === "no configuration" ? {} : { process: "warning" };
    t.same(await amiss([rig.folder], { ...facts, ...more }), { ...withLife, ...expected }, name);
  }
  await rig.vault.close();
  const later = new Date(Date.now() + 3_600_000);
  utimesSync(join(rig.folder, "node.db"), later, later);
  t.match(await amiss([rig.folder], facts), { "clock since the last write": "failure" });
  const bytes = readFileSync(join(rig.folder, "node.db"));
  writeFileSync(join(rig.folder, "node.db"), bytes.fill(7, 8192, 12_288));
  t.match(await amiss([rig.folder], facts), { store: "failure" }, "a page of it is gone");
  truncateSync(join(rig.folder, "node.db"), 0);
  rmSync(join(rig.folder, "keys", "seal-key"));
  t.match(await amiss([rig.folder], facts), { keys: "failure" });
});

t.test("an edge's way to its gateway is tried: name, answer, and whose certificate it shows", async (t) => {
  const folder = createDataFolder(join(shortFolder(t), "edge"));
  const facts = machine();
  const reach = async (address: string, more = "") => {
    writeFileSync(folder.config, `gateway: { address: "${address}" }\n${more}`, { mode: 0o600 });
    const found = await amiss([folder.path], facts);
    return Object.fromEntries(
      ["reachability", "TLS", "proxy"].flatMap((check) => (check in found ? [[check, found[check]]] : [])),
    );
  };
  mkdirSync(folder.keys, { recursive: true });
  const authority = createAuthority({ name: "Tidegate test", nowMs, random });
  const other = createAuthority({ name: "Inspector", nowMs, random });
  const listen = (server: ReturnType<typeof createServer>) =>
    new Promise<string>((resolve) => {
      t.teardown(() => server.close());
      server.listen(0, "127.0.0.1", () => resolve(`127.0.0.1:${(server.address() as AddressInfo).port}`));
    });
  const deaf = createServer((socket) => socket.destroy());
  const at = await listen(deaf);
  t.same(await reach("no-such-host.invalid:1"), { reachability: "failure" });
  t.same(await reach(at), { TLS: "failure" }, "something else listens there");
  const tls = await listen(
    createTlsServer({ key: keyOf(authority), cert: authority.certificate }, (socket) => socket.destroy()),
  );
  writeFileSync(folder.authority, authority.certificate);
  t.same(await reach(tls), {}, "our own authority's");
  writeFileSync(folder.authority, other.certificate);
  t.same(await reach(tls), { TLS: "failure" }, "somebody inspects");
  await new Promise((resolve) => deaf.close(resolve));
  t.same(await reach(at), { reachability: "failure" }, "nobody there");
  t.same(await reach("no-such-host.invalid:1", `proxy: { address: "${tls}" }\n`), {}, "the proxy looks names up");
  t.same(await reach(tls, `proxy: { address: "${at}" }\n`), { proxy: "failure" });
});

t.test("the command ends with 1 where something fails, and says what to do", async (t) => {
  const told = await run(["doctor", "--data", join(shortFolder(t), "none")]);
  t.equal(told.exit, 1);
  t.match(told.stdout, /failure {2}folder: there is no node in/);
  t.match(told.stdout, /hint: Set a node up/);
  const json = await run(["doctor", "--data", "/nowhere", "--json"]);
  t.match(JSON.parse(json.stdout), [{ folder: null }, { folder: "/nowhere", findings: [{ state: "failure" }] }]);
});

function keyOf({ privateKey }: { privateKey: Uint8Array }): string {
  const text = Buffer.from(privateKey).toString("base64").replace(/.{64}/g, "$&\n");
  return `-----BEGIN PRIVATE KEY-----\n${text}\n-----END PRIVATE KEY-----\n`;
}
