import { spawnSync } from "node:child_process";
import { median, type Row } from "./row.ts";

const starts = 5;
const lookEveryMs = 4;
const mostMs = 1000;
const mostMegabytes = 120;

/**
 * An edge process with 1,000 credentials, its gateway away: from spawn to the first read that is answered with a value over its Unix
 * socket, tried every few milliseconds, and its resident memory (VmRSS) right after. Medians of five starts; a Node that does nothing starts
 * in between, so that the figure of a busy machine can be told from a slow start.
 */
export const edgeStartRow: Row = {
  name: "edge with 1,000 credentials: first read, memory",
  target: `< ${mostMs} ms after spawn, < ${mostMegabytes} MB`,
  async measure(bench) {
    const plant = await bench.plant();
    const bare: number[] = [];
    const firstRead: number[] = [];
    const memory: number[] = [];
    const memoryAfterAll: number[] = [];
    const cpu: number[] = [];
    for (let i = 0; i < starts; i += 1) {
      bare.push(bareStartMs());
      const spawned = performance.now();
      const edge = plant.startEdge();
      try {
        await edge.until("the first read", () => plant.read(plant.paths[i] ?? ""), lookEveryMs);
        firstRead.push(performance.now() - spawned);
        memory.push(edge.residentMegabytes());
        cpu.push(edge.cpuSeconds() * 1000);
        for (const path of plant.paths) await plant.read(path);
        memoryAfterAll.push(edge.residentMegabytes());
      } finally {
        await edge.stop();
      }
    }
    const firstReadMs = median(firstRead);
    const megabytes = median(memory);
    return {
      figure: `${firstReadMs.toFixed(0)} ms (${median(cpu).toFixed(0)} ms of CPU; bare Node ${median(bare).toFixed(0)} ms), ${megabytes.toFixed(0)} MB`,
      met: firstReadMs < mostMs && megabytes < mostMegabytes,
      numbers: {
        bareStartMs: median(bare),
        firstReadMs,
        cpuMs: median(cpu),
        megabytes,
        megabytesAfterEachWasRead: median(memoryAfterAll),
      },
    };
  },
};

function bareStartMs(): number {
  const spawned = performance.now();
  spawnSync(process.execPath, ["--eval", "0"]);
  return performance.now() - spawned;
}
