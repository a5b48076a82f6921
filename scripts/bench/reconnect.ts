import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { SampleAuthority, type SampleTls } from "../../test/support/tunnel-certificates.ts";
import { OwnProcess } from "./own-process.ts";
import type { ReconnectAnswer, ReconnectOrder, SentTls } from "./reconnect-child.ts";
import { median, NotRun, type Row, thousands } from "./row.ts";

const wantedNodes = 10_000;
/** Fewer say nothing about a queue. */
const leastNodes = 1_000;
/**
 * What the handshakes may take one after the other on this machine, ms by the clock: 10,000 fit where one takes less than 18, and at once
 * they take half of it where there are two cores. Beyond it fewer nodes come back, and the figure says so.
 */
const budgetMs = 180_000;
const mostTimes = 2;
/** Files of a process besides its connections. */
const otherFiles = 500;
const warmUp = 50;
const inTurn = 150;

/**
 * Nodes that all dial one gateway in the same moment, from one address, as after a power failure behind an address translator: sockets,
 * TLS 1.3 with both certificates, our handshake, a session. A gateway and the nodes, each in a process. The ideal is what the handshakes
 * cost one after the other: CPU time of both ends of one in turn, times the nodes. Time in which the busier process was ready and had no core, because of what else the
 * machine does, is taken off and shown. `numbers` has the last node's and the middle node's time.
 */
export const reconnectRow: Row = {
  name: "nodes that all come back at once, last one's time",
  target: `<= ${mostTimes} x the ideal, none starved`,
  async measure() {
    const files = openFiles();
    if (files < leastNodes + otherFiles) throw new NotRun(`needs ${leastNodes + otherFiles} open files, has ${files}`);
    const child = fileURLToPath(new URL("reconnect-child.ts", import.meta.url));
    const gateway = new OwnProcess("gateway", [child]);
    const nodes = new OwnProcess("nodes", [child]);
    try {
      const sent = identities();
      const { port = 0 } = await ask(gateway, { kind: "listen", caKey: sent.caKey, tls: sent.gateway });
      const prepare = (count: number) =>
        ask(nodes, { kind: "prepare", caKey: sent.caKey, tls: sent.edge, gateway: sent.gateway, port, nodes: count });
      await prepare(Math.max(warmUp, inTurn));
      await ask(nodes, { kind: "in-turn", nodes: warmUp });
      const [started, before] = [performance.now(), await cpuMs([gateway, nodes])];
      await ask(nodes, { kind: "in-turn", nodes: inTurn });
      const eachMs = ((await cpuMs([gateway, nodes])) - before) / inTurn;
      const inTurnMs = (performance.now() - started) / inTurn;
      const most = Math.min(wantedNodes, files - otherFiles);
      const count = Math.max(leastNodes, Math.min(most, Math.floor(budgetMs / inTurnMs)));
      await prepare(count);
      const waitedBefore = [gateway, nodes].map(waitedMs);
      const { backMs = [], failed = 0 } = await ask(nodes, { kind: "all", nodes: count });
      const waited = Math.max(...[gateway, nodes].map((each, index) => waitedMs(each) - (waitedBefore[index] ?? 0)));
      const idealMs = eachMs * count;
      const clockMs = backMs.at(-1) ?? Number.POSITIVE_INFINITY;
      const lastMs = clockMs - waited;
      const times = lastMs / idealMs;
      const part = count < wantedNodes ? ` of ${thousands(wantedNodes)} (more take longer than a row may here)` : "";
      const others = `${(waited / 1000).toFixed(1)} s without a core not counted`;
      return {
        figure: `${times.toFixed(2)} x: ${thousands(backMs.length)} nodes${part} in ${(lastMs / 1000).toFixed(1)} s (${others}), ${eachMs.toFixed(1)} ms of CPU each; ${failed} dials tried again`,
        met: backMs.length === count && times <= mostTimes,
        numbers: {
          nodes: count,
          times,
          lastMs,
          clockMs,
          waitedMs: waited,
          medianMs: median(backMs),
          idealMs,
          cpuMs: eachMs,
          failed,
        },
      };
    } finally {
      await Promise.all([gateway.stop(), nodes.stop()]);
    }
  },
};

function identities(): { caKey: string; gateway: SentTls; edge: SentTls } {
  const authority = new SampleAuthority(Date.now(), (length) => new Uint8Array(randomBytes(length)));
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
  const send = ({ key, chain, spkiHash }: SampleTls): SentTls => ({
    key: base64(key.export({ format: "der", type: "pkcs8" })),
    chain: chain.map(base64),
    spkiHash: base64(spkiHash),
  });
  return { caKey: base64(authority.publicKey), gateway: send(authority.issue("gateway")), edge: send(authority.issue("edge")) };
}

async function ask({ child, name }: OwnProcess, order: ReconnectOrder): Promise<ReconnectAnswer> {
  child.send(order);
  const ended = new AbortController();
  const gone = once(child, "exit", { signal: ended.signal }).then(() => {
    throw new Error(`${name} ended instead of answering ${order.kind}`);
  });
  gone.catch(() => {});
  const answered = once(child, "message", { signal: ended.signal }).then(([answer]) => answer as ReconnectAnswer);
  try {
    return await Promise.race([answered, gone]);
  } finally {
    answered.catch(() => {});
    ended.abort();
  }
}

async function cpuMs(processes: readonly OwnProcess[]): Promise<number> {
  let sum = 0;
  for (const each of processes) sum += (await ask(each, { kind: "cpu" })).cpuMs ?? 0;
  return sum;
}

/** How long the process's main thread was ready to run and had no core, ms; 0 where the kernel does not tell. */
function waitedMs({ pid }: OwnProcess): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[1]) / 1e6;
  } catch {
    return 0;
  }
}

/** Files that a process may have open: the soft limit, which children inherit. */
function openFiles(): number {
  const found = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  return found === undefined || found === "unlimited" ? wantedNodes + otherFiles : Number(found);
}
