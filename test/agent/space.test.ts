import { statSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import t from "tap";
import { type DiskSpace, diskSpaceAt, SpaceReserve, type SpaceStanding, SpaceWatch, spaceOf } from "../../agent/space/index.ts";
import { shortFolder } from "../support/short-folder.ts";
import { ManualTime } from "./audit/rig.ts";

const mebibyte = 1024 * 1024;
const random = (length: number) => new Uint8Array(length).fill(9);

function reserveIn(t: Parameters<typeof shortFolder>[0], bytes = 2 * mebibyte) {
  const path = join(shortFolder(t), "reserve");
  return { path, reserve: new SpaceReserve({ path, bytes, random }) };
}

t.test("a reserve holds real blocks, gives them up at once, and is known again after a restart", async (t) => {
  const { path, reserve } = reserveIn(t);
  t.equal(reserve.whole, false);
  t.equal(reserve.release(), false, "nothing to give");
  await reserve.keep();
  t.equal(reserve.whole, true);
  const status = statSync(path);
  t.same([status.size, status.mode & 0o777], [2 * mebibyte, 0o600]);
  t.ok(status.blocks * 512 >= 2 * mebibyte, "not a hole");
  t.equal(new SpaceReserve({ path, bytes: 2 * mebibyte, random }).whole, true);
  t.equal(new SpaceReserve({ path, bytes: 2 * mebibyte + 1, random }).whole, false, "one byte short of what is asked for");
  t.equal(reserve.release(), true);
  t.same([statSync(path).size, reserve.whole, reserve.release()], [0, false, false]);
});

t.test("a reserve that is given up while it is taken gives all of it up, and is not counted as held", async (t) => {
  const { path, reserve } = reserveIn(t, 16 * mebibyte);
  let done = false;
  const kept = reserve.keep().then(() => {
    done = true;
  });
  while (!reserve.release() && !done) await turn();
  t.equal(done, false, "a commit that finds the disk full meanwhile gets the room");
  t.equal(reserve.whole, false);
  await kept;
  t.same([statSync(path).size, reserve.whole, reserve.release()], [0, false, false]);
  await reserve.keep();
  t.same([statSync(path).size, reserve.whole], [16 * mebibyte, true], "and it can be taken again");
});

t.test("a reserve that cannot be kept, or given up, throws or says so", async (t) => {
  const reserve = new SpaceReserve({ path: join(shortFolder(t), "missing", "reserve"), bytes: mebibyte, random });
  await t.rejects(reserve.keep(), { code: "ENOENT" });
  t.same([reserve.whole, reserve.release()], [false, false]);
});

/** A watch over a disk that is told how full it is, and what it says. */
async function watched(t: Parameters<typeof shortFolder>[0], disk: { now: DiskSpace | null }) {
  const { reserve } = reserveIn(t);
  const time = new ManualTime();
  const told: SpaceStanding[] = [];
  const watch = new SpaceWatch({ reserve, timers: time.timers, look: () => disk.now });
  t.teardown(() => watch.close());
  watch.start((standing) => told.push(standing));
  const settle = async () => {
    await watch.look();
  };
  await settle();
  return { watch, reserve, time, told, settle };
}

const total = 1000 * mebibyte;
const free = (mib: number): DiskSpace => ({ free: mib * mebibyte, total });

t.test("the disk is low from 80 % on and short below 16 MiB, and comes back only with some room more", async (t) => {
  const disk = { now: free(500) as DiskSpace | null };
  const { watch, told, settle } = await watched(t, disk);
  const steps: [number, SpaceStanding][] = [
    [201, "room"],
    [200, "low"],
    [16, "low"],
    [15, "short"],
    [16, "short"],
    [19, "short"],
    [20, "low"],
    [200, "low"],
    [201, "room"],
  ];
  for (const [mib, standing] of steps) {
    disk.now = free(mib);
    await settle();
    t.equal(watch.facts.standing, standing, `${mib} MiB`);
    t.equal(watch.hasRoom(), standing !== "short" && mib >= 16, `${mib} MiB`);
  }
  disk.now = null;
  await settle();
  t.equal(watch.facts.standing, "short", "a disk that gives no answer is full");
  t.same(told, ["room", "low", "short", "low", "room", "short"]);
});

t.test("the reserve is given up before the end of the disk, and is whole again before anything else has room", async (t) => {
  const disk = { now: free(500) as DiskSpace | null };
  const { watch, reserve, told, settle } = await watched(t, disk);
  t.equal(reserve.whole, true);
  disk.now = free(4);
  await settle();
  t.equal(reserve.whole, true, "what is left is enough");
  disk.now = { free: 4 * mebibyte - 1, total };
  await settle();
  t.equal(reserve.whole, false);
  // 16 MiB, the reserve of 2, and a quarter more.
  disk.now = { free: 22.5 * mebibyte - 1, total };
  await settle();
  t.same([watch.facts.standing, reserve.whole], ["short", false]);
  disk.now = free(22.5);
  await settle();
  t.same([watch.facts.standing, reserve.whole], ["low", true]);
  t.same(told.at(-1), "low");
});

t.test("a reserve that the store gave up is taken again, and looks follow each other", async (t) => {
  const disk = { now: free(500) as DiskSpace | null };
  const { reserve, time, watch } = await watched(t, disk);
  reserve.release();
  time.pass(10_000);
  await watch.look();
  t.equal(reserve.whole, true);
  t.match(diskSpaceAt("/"), { free: Number, total: Number });
  t.equal(diskSpaceAt("/nowhere/at/all"), null);
});

t.test("the part in use is that of df: blocks that are kept for root are neither free nor in use by us", async (t) => {
  const disk = { blocks: 1000, bfree: 250, bavail: 200, bsize: 4096 };
  const { free, total } = spaceOf(disk);
  t.same([free / 4096, total / 4096], [200, 950]);
  t.equal(Math.ceil((1 - free / total) * 100), 79, "750 of 950, and not 80 % of 1000: nobody is warned yet");
  const nothingKept = spaceOf({ ...disk, bavail: 250 });
  t.same([nothingKept.free / 4096, nothingKept.total / 4096], [250, 1000]);
});
