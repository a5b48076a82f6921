import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { BareAnswer } from "./bare-server.ts";
import type { Bench } from "./bench.ts";
import { OwnProcess } from "./own-process.ts";
import { type Plant, readAnswer, readHeaders } from "./plant.ts";
import { type Measured, median, type Row, thousands } from "./row.ts";
import { type Round, Wrk } from "./wrk.ts";

/** A server that runs for years is measured, not its first seconds: by then what is hot is compiled. */
const warmUpSeconds = 8;
const rounds = 15;
const roundSeconds = 1;
const pathsInTurn = 16;
const leastShare = 0.6;
const mostLatency = 1.5;
/** What node:http adds to every answer by itself. */
const addedByNode = new Set(["date", "connection", "keep-alive"]);

/**
 * Reads of 16 of an edge's 1,000 credentials in turn, as many as wrk has connections, over plain loopback HTTP: token, grant, lookup,
 * opening the sealed value, and the audit log (equal reads of 100 ms share a leaf). Against a bare node:http process that answers
 * every request with the bytes of such a read, headers included. Both are loaded in turn, round by round, so that what else the
 * machine does hits both; medians of the rounds. No process is tied to a core: both servers have helper threads that a tie would
 * slow, the real one more. `numbers` has the CPU time of either server per request too, which says more on a busy machine.
 */
export const readRow: Row = {
  name: "authenticated read, share of bare node:http",
  target: `>= ${leastShare} of its requests/s, p99 <= ${mostLatency} x its`,
  async measure(bench) {
    const plant = await plantAndLoad(bench);
    const edge = plant.startEdge();
    let bare: OwnProcess | null = null;
    const { token } = plant;
    const paths = plant.paths.slice(0, pathsInTurn);
    const wrk = new Wrk(
      paths.map((path) => `/v1/credentials/${path}`),
      readHeaders(token),
    );
    try {
      const { port } = await plant.loopback(edge);
      const answer = await readAnswer({ host: "127.0.0.1", port }, paths[0] ?? "", token);
      bare = new OwnProcess("bare node:http", [fileURLToPath(new URL("./bare-server.ts", import.meta.url))]);
      const barePort = await bareServer(bare, { headers: ownHeaders(answer.headers), body: answer.body.toString("base64") });
      const leavesBefore = await plant.auditSize();
      const [real, without] = await alternate(wrk, [
        { port, process: edge },
        { port: barePort, process: bare },
      ]);
      const leaves = (await plant.auditSize()) - leavesBefore;
      if (leaves < paths.length) throw new Error(`only ${leaves} leaves for the reads: the audit log is not on`);
      return judge(real, without);
    } finally {
      wrk.close();
      await edge.stop();
      await bare?.stop();
    }
  },
};

interface Loaded {
  readonly rounds: readonly Round[];
  /** CPU time of the server process per request. */
  readonly cpuMicroseconds: number;
}

/** Fails on a missing wrk before the plant is made. */
async function plantAndLoad(bench: Bench): Promise<Plant> {
  new Wrk([], {}).close();
  return bench.plant();
}

interface Server {
  readonly port: number;
  readonly process: OwnProcess;
}

async function alternate(wrk: Wrk, servers: readonly [Server, Server]): Promise<[Loaded, Loaded]> {
  for (const { port } of servers) await wrk.round(port, warmUpSeconds);
  const before = servers.map(({ process }) => process.cpuSeconds());
  const taken: [Round[], Round[]] = [[], []];
  for (let i = 0; i < rounds; i += 1) {
    taken[0].push(await wrk.round(servers[0].port, roundSeconds));
    taken[1].push(await wrk.round(servers[1].port, roundSeconds));
  }
  const loaded = (n: 0 | 1): Loaded => {
    const requests = taken[n].reduce((sum, round) => sum + round.requests, 0);
    const seconds = servers[n].process.cpuSeconds() - (before[n] ?? 0);
    return { rounds: taken[n], cpuMicroseconds: (seconds / requests) * 1e6 };
  };
  return [loaded(0), loaded(1)];
}

function judge(real: Loaded, bare: Loaded): Measured {
  const perSecond = median(real.rounds.map((round) => round.perSecond));
  const barePerSecond = median(bare.rounds.map((round) => round.perSecond));
  const p99Ms = median(real.rounds.map((round) => round.p99Ms));
  const bareP99Ms = median(bare.rounds.map((round) => round.p99Ms));
  const share = perSecond / barePerSecond;
  const latency = p99Ms / bareP99Ms;
  return {
    figure:
      `${share.toFixed(2)} (${thousands(perSecond)}/s of ${thousands(barePerSecond)}/s), ` +
      `p99 ${latency.toFixed(2)} x (${p99Ms.toFixed(2)} ms, ${bareP99Ms.toFixed(2)} ms)`,
    met: share >= leastShare && latency <= mostLatency,
    numbers: {
      share,
      perSecond,
      barePerSecond,
      latency,
      p99Ms,
      bareP99Ms,
      cpuMicroseconds: real.cpuMicroseconds,
      bareCpuMicroseconds: bare.cpuMicroseconds,
    },
  };
}

async function bareServer(bare: OwnProcess, answer: BareAnswer): Promise<number> {
  bare.child.send(answer);
  const [port] = (await once(bare.child, "message")) as [number];
  return port;
}

function ownHeaders(all: readonly string[]): string[] {
  return all.flatMap((name, i) => (i % 2 === 0 && !addedByNode.has(name.toLowerCase()) ? [name, all[i + 1] ?? ""] : []));
}
