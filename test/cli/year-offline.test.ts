import t, { type Test } from "tap";
import { type Judged, judgeFreshness } from "../../agent/local-api/freshness.ts";
import type { Seams } from "../../agent/seams/index.ts";
import { TidegateError } from "../../protocol/base/index.ts";
import { mayUse } from "../../protocol/time/index.ts";
import { random } from "../vault/rig.ts";
import { MediaRig } from "./media-rig.ts";

const day = 86_400_000;
const path = "plant/pump/operator";

/** A machine at the edge of the world: a since-boot clock that is right, and one on its wall that may be anything. */
class Machine implements Seams {
  readonly random = random;
  readonly timers = { after: () => () => {} };
  readonly failpoint = () => {};
  boot = 1;
  upMs = 60_000;
  wall = 0;
  readonly clock = {
    wallMs: () => this.wall,
    sinceBootMs: () => this.upMs,
    bootId: () => `edge-boot-${this.boot}`,
  };

  sleep(ms: number): void {
    this.upMs += ms;
  }

  /** Off and on again: nothing is known of how long it was off. */
  reboot(): void {
    this.boot += 1;
    this.upMs = 20_000;
  }
}

/** A real vault, and a real edge that holds a value, a lease of it, a rule of a month and, by stick, the time. */
async function plant(t: Test) {
  const rig = await MediaRig.make(t);
  const { vault } = rig;
  const joined = await rig.edge("edge-1", "plant");
  await vault.addPump("plant");
  await vault.setPassword(path, "the-one-before");
  await vault.call("POST", "/v1/applications", { name: "historian" });
  await vault.call("POST", "/v1/applications/historian/token");
  await vault.call("PUT", "/v1/freshness", { pattern: "plant/**", staleAfterS: 30 * 86_400, whenStale: "warn" });
  await vault.call("POST", "/v1/leases", { application: "historian", pattern: path, forS: 3_600 });
  const machine = new Machine();
  const process = { now: joined };
  const restart = () => {
    process.now = rig.openEdge(process.now.store.reopen(), machine);
    return process.now;
  };
  restart();
  /** A stick goes to the vault and comes back. */
  const carry = async () => {
    const stick = rig.stick();
    await process.now.write(stick);
    await rig.atVault.read(stick);
    await rig.atVault.write(stick);
    await process.now.read(stick);
  };
  const password = () => {
    const fields = process.now.core.credentials.find(path)?.openFields() ?? [];
    return fields.map(({ value }) => Buffer.from(value).toString()).join();
  };
  const judged = (ttlS: number | null = null): Judged | string => {
    const { node, credentials } = process.now.core;
    const rule = credentials.find(path)?.freshness ?? null;
    if (rule === null) return "no rule";
    const heardMs = node.vaultLastHeardAtMs;
    try {
      return judgeFreshness({ ...rule, ttlS }, heardMs === null ? null : new Date(heardMs).toISOString(), node.interval());
    } catch (error) {
      if (error instanceof TidegateError) return error.code;
      throw error;
    }
  };
  const leased = () => {
    const [lease] = process.now.core.node.withState((view) => [...view.leases.values()]);
    if (lease?.entry.authority == null) return "no lease";
    return mayUse(process.now.core.node.interval(), lease.entry.authority, false);
  };
  const entries = () => process.now.core.node.status().entries;
  await carry();
  await carry();
  return { vault, machine, restart, carry, password, judged, leased, entries, node: () => process.now.core.node };
}

t.test("a clock that is wrong lets no authority count, takes none away for good, and erases nothing", async (t) => {
  const { vault, machine, restart, password, judged, leased, entries, carry, node } = await plant(t);
  const right = vault.seams.nowMs;
  machine.wall = right;
  t.equal(leased(), "yes", "with the stick's word the lease runs");
  t.equal(judged(3_600), "fresh");
  const held = entries();
  const walls: [title: string, wall: number][] = [
    ["1970", 0],
    ["2038", Date.UTC(2038, 0, 19, 3, 14, 8)],
    ["2100", Date.UTC(2100, 0, 1)],
    ["a day behind", right - day],
    ["a day ahead", right + day],
  ];
  for (const [title, wall] of walls) {
    machine.wall = wall;
    t.equal(leased(), "yes", `${title}: the wall's jump changes nothing in a boot whose time is known`);
    t.equal(judged(3_600), "fresh", `${title}: nor of a strict limit`);
  }
  for (const [title, wall] of walls) {
    machine.wall = wall;
    machine.reboot();
    restart();
    t.equal(password(), "the-one-before", `${title}: the last known good value is there after a boot`);
    t.equal(leased(), "clock-unknown", `${title}: no lease counts, and the clock is named`);
    t.equal(judged(3_600), "CLOCK_UNKNOWN", `${title}: nor does a strict limit`);
    t.equal(judged(), "fresh", `${title}: what is only to be warned of is not taken away by a wall clock`);
    t.equal(entries(), held, `${title}: nothing was erased`);
    const { loMs } = node().interval();
    machine.wall = wall - 3_600_000;
    t.ok(node().interval().loMs >= loMs, `${title}: time does not run backwards with the wall`);
  }
  machine.sleep(2 * day);
  t.equal(leased(), "expired", "what was slept through counts: the lease has ended");
  await carry();
  t.equal(leased(), "expired", "an older answer of the vault does not bring it back");
  vault.seams.nowMs += 2 * day;
  await vault.setPassword(path, "the-next-one");
  await carry();
  await carry();
  t.equal(leased(), "no lease", "with its next change the vault says so too");
  t.equal(password(), "the-next-one");
});

t.test("an edge that was away for a year serves what it had, says how old it is, and comes back by itself", async (t) => {
  const ways: [title: string, gone: (machine: Machine) => void][] = [
    ["asleep", (machine) => machine.sleep(365 * day)],
    ["switched off, its clock gone", (machine) => machine.reboot()],
  ];
  for (const [title, gone] of ways) {
    const { vault, machine, restart, carry, password, judged, leased, entries, node } = await plant(t);
    const held = entries();
    const heard = node().vaultLastHeardAtMs;
    vault.seams.nowMs += 365 * day;
    gone(machine);
    restart();
    t.equal(password(), "the-one-before", `${title}: the last known good value`);
    t.equal(entries(), held, `${title}: nothing was erased`);
    t.equal(node().vaultLastHeardAtMs, heard, `${title}: and it says since when it is alone`);
    t.not(leased(), "yes", `${title}: a lease of last year is none`);
    t.equal(judged(), machine.boot === 1 ? "warn" : "fresh", `${title}: stale as far as it can know`);
    t.not(judged(3_600), "fresh", `${title}: a strict limit is over, or not to be judged`);
    await vault.setPassword(path, "the-new-one");
    await carry();
    await carry();
    const time = node().interval();
    t.ok(time.loMs >= vault.seams.nowMs - day && time.hiMs !== null, `${title}: it knows the time again`);
    t.equal(password(), "the-new-one", `${title}: and has what changed meanwhile`);
    t.equal(judged(3_600), "fresh", `${title}: and is fresh`);
    t.equal(leased(), "no lease", `${title}: the lease is gone by the vault's word`);
    t.equal(node().mode, "NORMAL", title);
  }
});
