import { spawnSync } from "node:child_process";
import { LargeEdge } from "./large-edge.ts";
import { median, type Row, thousands } from "./row.ts";

const starts = 5;
const lookEveryMs = 4;

/**
 * An edge process whose gateway and vault are gone: from spawn to the first read that is answered with a value over its Unix socket, tried
 * every few milliseconds, each start another credential. Medians of five starts; a Node that does nothing starts in between.
 */
const coldStart = (accounts: number, mostMs: number): Row => ({
  name: `cold start to first read, ${thousands(accounts)} credentials`,
  target: `< ${mostMs} ms after spawn`,
  async measure() {
    const edge = await LargeEdge.prepare(accounts);
    const bare: number[] = [];
    const firstRead: number[] = [];
    const cpu: number[] = [];
    try {
      for (let i = 0; i < starts; i += 1) {
        const before = performance.now();
        spawnSync(process.execPath, ["--eval", "0"]);
        const spawned = performance.now();
        bare.push(spawned - before);
        const running = edge.start();
        const path = edge.paths[i * 7] ?? "";
        await running.until("the first read", () => edge.read(path).then(() => true), lookEveryMs);
        firstRead.push(performance.now() - spawned);
        cpu.push(running.cpuSeconds() * 1000);
        await running.stop();
      }
    } finally {
      await edge.close();
    }
    const [firstReadMs, cpuMs, bareStartMs] = [median(firstRead), median(cpu), median(bare)];
    return {
      figure: `${firstReadMs.toFixed(0)} ms (${cpuMs.toFixed(0)} ms of CPU; bare Node ${bareStartMs.toFixed(0)} ms)`,
      met: firstReadMs < mostMs,
      numbers: { firstReadMs, cpuMs, bareStartMs },
    };
  },
});

/** {@link coldStart} for a usual and for a large segment. */
export const coldStartRows: readonly Row[] = [coldStart(1_000, 500), coldStart(10_000, 1_500)];
