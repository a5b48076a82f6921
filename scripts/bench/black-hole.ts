import type { Bench } from "./bench.ts";
import { readHeaders } from "./plant.ts";
import { median, type Row } from "./row.ts";
import { SwallowingProxy } from "./swallowing-proxy.ts";
import { type Round, Wrk } from "./wrk.ts";

const warmUpSeconds = 2;
const rounds = 5;
const roundSeconds = 2;
const pathsInTurn = 16;
const mostLatency = 1.2;

/**
 * Reads of 16 cached credentials of an edge whose tunnel to the gateway is up, and while everything that it sends there is swallowed, its
 * new connections too. In turn, round by round; medians of the rounds' p99.
 */
export const blackHoleRow: Row = {
  name: "cached reads with the upstream black-holed",
  target: `p99 <= ${mostLatency} x with it healthy`,
  async measure(bench: Bench) {
    new Wrk([], {}).close();
    const plant = await bench.plant();
    const { gateway, host, port: edges } = await plant.startGateway();
    const proxy = new SwallowingProxy();
    const edge = plant.startEdgeTowards(`127.0.0.1:${await proxy.listen({ host, port: edges })}`);
    const paths = plant.paths.slice(0, pathsInTurn).map((path) => `/v1/credentials/${path}`);
    const wrk = new Wrk(paths, readHeaders(plant.token));
    try {
      const { port } = await plant.loopback(edge);
      await plant.connected(edge);
      await wrk.round(port, warmUpSeconds);
      const healthy: Round[] = [];
      const swallowed: Round[] = [];
      for (let i = 0; i < rounds; i += 1) {
        healthy.push(await wrk.round(port, roundSeconds));
        proxy.swallow(true);
        swallowed.push(await wrk.round(port, roundSeconds));
        proxy.swallow(false);
        await plant.connected(edge);
      }
      const healthyP99Ms = median(healthy.map(({ p99Ms }) => p99Ms));
      const p99Ms = median(swallowed.map((round) => round.p99Ms));
      const latency = p99Ms / healthyP99Ms;
      return {
        figure: `${latency.toFixed(2)} x (${p99Ms.toFixed(2)} ms, ${healthyP99Ms.toFixed(2)} ms)`,
        met: latency <= mostLatency,
        numbers: { latency, p99Ms, healthyP99Ms },
      };
    } finally {
      wrk.close();
      proxy.close();
      await edge.stop();
      await gateway.stop();
    }
  },
};
