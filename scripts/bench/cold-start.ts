import { spawnSync } from "node:child_process";
import { LargeNode, type LargeRole } from "./large-node.ts";
import { median, type Row, thousands } from "./row.ts";

const starts = 5;
const lookEveryMs = 4;

/**
 * A node's process with nobody else there: from spawn to the first read that is answered with a value over its Unix socket, tried
 * every few milliseconds, each start another credential. Medians of five starts; a Node that does nothing starts in between.
 */
const coldStart = (role: LargeRole, accounts: number, mostMs: number): Row => ({
  name: `${role}: cold start to first read, ${thousands(accounts)} credentials`,
  target: `< ${mostMs} ms after spawn`,
  async measure() {
    const node = await LargeNode.prepare(role, accounts);
    const bare: number[] = [];
    const firstRead: number[] = [];
    const cpu: number[] = [];
    try {
      for (let i = 0; i < starts; i += 1) {
        const before = performance.now();
        spawnSync(process.execPath, ["--eval", "0"]);
        const spawned = performance.now();
        bare.push(spawned - before);
        const running = node.start();
        const path = node.paths[i * 7] ?? "";
        await running.until("the first read", () => node.read(path).then(() => true), lookEveryMs);
        firstRead.push(performance.now() - spawned);
        cpu.push(running.cpuSeconds() * 1000);
        await running.stop();
      }
    } finally {
      await node.close();
    }
    const [firstReadMs, cpuMs, bareStartMs] = [median(firstRead), median(cpu), median(bare)];
    return {
      figure: `${firstReadMs.toFixed(0)} ms (${cpuMs.toFixed(0)} ms of CPU; bare Node ${bareStartMs.toFixed(0)} ms)`,
      met: firstReadMs < mostMs,
      numbers: { firstReadMs, cpuMs, bareStartMs },
    };
  },
});

/** {@link coldStart} for a usual and for a large segment, of both kinds of node. */
export const coldStartRows: readonly Row[] = (["edge", "gateway"] as const).flatMap((role) => [
  coldStart(role, 1_000, 500),
  coldStart(role, 10_000, 1_500),
]);
