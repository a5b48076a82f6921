import { spawnSync } from "node:child_process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { mostAtOnce } from "../../edge/rotation/index.ts";
import { EdgeEngine } from "./edge-engine.ts";
import type { Row } from "./row.ts";

const devices = 1_000;
const exchangeMs = 50;
const mostOverIdeal = 1.25;
const mostCpuMs = 10;
const rounds = 10;
/** Growth that is noise: pages of the allocator, not what is kept. */
const mostGrowth = 0.1;
const mostCheckS = 120;

/**
 * Each of 1,000 devices rotated once by an edge's engine with its store and audit log on a disk; a device answers each exchange after 50 ms.
 * The ideal is all exchanges at once in as many lanes as the engine has, with nothing in between.
 */
export const fleetRow: Row = {
  name: `${devices.toLocaleString("en-US")} devices at ${exchangeMs} ms an exchange, ${mostAtOnce} at once: wall time, CPU a rotation`,
  target: `<= ${mostOverIdeal} x ideal, < ${mostCpuMs} ms`,
  async measure() {
    const edge = new EdgeEngine(devices, exchangeMs);
    try {
      const round = edge.makeRound();
      const started = performance.now();
      const before = process.cpuUsage();
      await edge.rotateAll(round);
      const { user, system } = process.cpuUsage(before);
      const wallMs = performance.now() - started;
      const idealMs = (edge.exchanges * exchangeMs) / mostAtOnce;
      const cpuMs = (user + system) / 1000 / devices;
      const over = wallMs / idealMs;
      return {
        figure: `${over.toFixed(2)} x (${(wallMs / 1000).toFixed(1)} s of ${(idealMs / 1000).toFixed(1)} s), ${cpuMs.toFixed(1)} ms`,
        met: over <= mostOverIdeal && cpuMs < mostCpuMs,
        numbers: { wallMs, idealMs, exchanges: edge.exchanges, cpuMs, syncs: edge.syncs, syncMs: edge.syncMs },
      };
    } finally {
      await edge.close();
    }
  },
};

/** What an edge's engine keeps in memory after 2,000 and after 10,000 rotations. */
export const memoryRow: Row = {
  name: "edge's memory over 10,000 rotations",
  target: `grows < ${mostGrowth * 100} %`,
  async measure() {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const edge = new EdgeEngine(devices, 0);
    try {
      const kept: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        await edge.rotateAll(edge.makeRound());
        collect();
        const { heapUsed, external } = process.memoryUsage();
        kept.push((heapUsed + external) / 1e6);
      }
      const [early = 0, late = 0] = [kept[1], kept.at(-1)];
      const growth = late / early - 1;
      return {
        figure: `${(growth * 100).toFixed(1)} % (${early.toFixed(0)} MB after 2,000, ${late.toFixed(0)} MB after 10,000)`,
        met: growth < mostGrowth,
        numbers: { early, late, growth },
      };
    } finally {
      await edge.close();
    }
  },
};

/** The whole exploration, as `npm run model-check` runs it. */
export const modelCheckRow: Row = {
  name: "model check",
  target: `< ${mostCheckS} s`,
  async measure() {
    const started = performance.now();
    const { status, stdout } = spawnSync(process.execPath, ["scripts/model-check.ts"], { encoding: "utf8" });
    const seconds = (performance.now() - started) / 1000;
    const summary = /^\d+ states.*$/m.exec(stdout)?.[0] ?? "no summary";
    return { figure: `${seconds.toFixed(0)} s: ${summary}`, met: status === 0 && seconds < mostCheckS, numbers: { seconds } };
  },
};
