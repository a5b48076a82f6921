import { join } from "node:path";
import t from "tap";
import { followSpace, gaugeSpace, spaceCheck } from "../../agent/member/index.ts";
import { createMetrics } from "../../agent/metrics/index.ts";
import { type DiskSpace, SpaceReserve, SpaceWatch } from "../../agent/space/index.ts";
import { decodeLeaf } from "../../protocol/audit/index.ts";
import { decodeFact } from "../../protocol/content/index.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { shortFolder } from "../support/short-folder.ts";
import { ManualTime, member, openRig, read, rotated } from "./audit/rig.ts";

const mebibyte = 1024 * 1024;
const silent = { error() {}, warn() {}, info() {}, debug() {} };

t.test("a disk that fills raises alarms here and at the vault, reads go on, a gap is recorded, and it ends", async (t) => {
  const store = new MemoryStore();
  const { log } = openRig({ store });
  const path = join(shortFolder(t), "reserve");
  const reserve = new SpaceReserve({ path, bytes: mebibyte, random: (length) => new Uint8Array(length).fill(1) });
  const disk: DiskSpace = { free: 900 * mebibyte, total: 1000 * mebibyte };
  const now = { ...disk };
  const space = new SpaceWatch({ reserve, timers: new ManualTime().timers, look: () => now });
  const alarms: unknown[] = [];
  const node = {
    nodeId: member.nodeId,
    time: () => ({ lo: 1_700_000_000, hi: null }),
    queueReport: (_tx: unknown, facts: Parameters<typeof decodeFact>[0][]) =>
      alarms.push(...facts.map((fact) => decodeFact(fact))),
  };
  const metrics = createMetrics();
  gaugeSpace(metrics, space, () => log.space.dropped);
  followSpace({ space, node: node as never, audit: log, store, log: silent as never });
  await space.look();
  const size = log.head().size;
  now.free = 100 * mebibyte;
  await space.look();
  t.match(alarms, [{ kind: "alarm", code: "AUDIT_SPACE_LOW" }]);
  now.free = 15 * mebibyte;
  await space.look();
  t.match(alarms.at(-1), { kind: "alarm", code: "AUDIT_SPACE_SHORT" });
  t.match(spaceCheck(space), { name: "space", ok: false, detail: "15 MiB free, 98 % in use" });
  log.space.admitRead();
  for (let times = 0; times < 5; times += 1) log.noteRead(read("a/b/c"));
  store.transaction((tx) => void log.append(tx, rotated(1)));
  const text = await metrics.text();
  t.match(text, /tidegate_audit_space_short 1\n/);
  t.match(text, /tidegate_audit_events_dropped 5\n/);
  t.match(text, /tidegate_disk_used_ratio 0\.985\n/);
  now.free = 900 * mebibyte;
  await space.look();
  t.match(spaceCheck(space), { ok: true });
  const leaves = log.leaves(size, 100).map((bytes) => decodeLeaf(bytes));
  t.match(
    leaves.map(({ action, code, details }) => [action, code ?? details["reason"] ?? ""]),
    [
      ["alarm.raise", "AUDIT_SPACE_LOW"],
      ["alarm.raise", "AUDIT_SPACE_SHORT"],
      ["rotation.verified", ""],
      ["audit.gap", "AUDIT_FULL"],
      ["alarm.clear", "AUDIT_SPACE_SHORT"],
      ["alarm.clear", "AUDIT_SPACE_LOW"],
    ],
  );
  t.match(alarms.slice(2), [
    { kind: "alarm-end", code: "AUDIT_SPACE_SHORT" },
    { kind: "alarm-end", code: "AUDIT_SPACE_LOW" },
  ]);
  t.match(leaves[3]?.details, { class: "reads", count: 5 });
  await space.close();
});

t.test("an alarm that a start finds standing is not told again, and ends where there is room again", async (t) => {
  const store = new MemoryStore();
  const { log } = openRig({ store });
  const path = join(shortFolder(t), "reserve");
  const told: string[] = [];
  const node = {
    nodeId: member.nodeId,
    time: () => ({ lo: 1_700_000_000, hi: null }),
    queueReport: (_tx: unknown, facts: Parameters<typeof decodeFact>[0][]) =>
      told.push(...facts.map((fact) => decodeFact(fact).kind)),
  };
  for (const free of [100, 100, 900, 900]) {
    const reserve = new SpaceReserve({ path, bytes: mebibyte, random: (length) => new Uint8Array(length).fill(1) });
    const look = () => ({ free: free * mebibyte, total: 1000 * mebibyte });
    const space = new SpaceWatch({ reserve, timers: new ManualTime().timers, look });
    followSpace({ space, node: node as never, audit: log, store, log: silent as never });
    await space.look();
    await space.close();
  }
  t.same(told, ["alarm", "alarm-end"]);
});
