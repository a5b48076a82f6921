import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setImmediate } from "node:timers/promises";
import { type RawData, WebSocket, WebSocketServer } from "ws";
import { median, type Row, thousands } from "./row.ts";
import { type Flow, TunnelPair } from "./tunnel-pair.ts";

const rounds = 7;
const roundMs = 500;
const patienceMs = 20_000;
const leastShare = 0.3;
/** Messages on their way at most: enough that neither end waits for the other. */
const window = 1024;
/** Sent before the other end has its turn: both ends run in this process. */
const burst = 64;

/** Frames of 200 bytes; an acknowledgement, a short report. */
export const smallFramesRow: Row = framesRow("200 B", 200);

/** Frames of 4 KB; a bundle with a few credentials. */
export const largeFramesRow: Row = framesRow("4 KB", 4096);

/**
 * Frames a second, one way, through an open tunnel session over WebSocket and TLS 1.3 as nodes use it (framed, authenticated, checked
 * and ordered at the other end), against messages of the same payload over a plain `ws` connection without TLS. Over loopback, both
 * ends of either in this one process; loaded in turn, round by round; medians. `numbers` also has the same TLS connection without
 * a session: what is lost to TLS, and what to the frames.
 */
function framesRow(size: string, bytes: number): Row {
  return {
    name: `tunnel frames of ${size}, share of raw ws`,
    target: `>= ${leastShare}`,
    async measure() {
      const flows = {
        raw: await rawFlow(),
        rawTls: (await TunnelPair.open()).messages(),
        tunnel: await (await TunnelPair.open()).frames(),
      };
      try {
        const payload = new Uint8Array(randomBytes(bytes));
        const rates = { raw: [] as number[], rawTls: [] as number[], tunnel: [] as number[] };
        for (let i = 0; i <= rounds; i += 1) {
          for (const name of ["raw", "rawTls", "tunnel"] as const) {
            const rate = await perSecond(flows[name], payload);
            // The first round warms up.
            if (i > 0) rates[name].push(rate);
          }
        }
        const [raw, rawTls, tunnel] = [median(rates.raw), median(rates.rawTls), median(rates.tunnel)];
        const share = tunnel / raw;
        return {
          figure: `${share.toFixed(2)} (${thousands(tunnel)}/s of ${thousands(raw)}/s); ${(tunnel / rawTls).toFixed(2)} of ws over TLS`,
          met: share >= leastShare,
          numbers: { share, perSecond: tunnel, rawPerSecond: raw, rawTlsPerSecond: rawTls },
        };
      } finally {
        for (const flow of Object.values(flows)) await flow.close();
      }
    },
  };
}

/** One round: sends for its time and counts what arrived until the last. */
async function perSecond(flow: Flow, payload: Uint8Array): Promise<number> {
  const started = performance.now();
  let sent = 0;
  let arrived = 0;
  flow.arrived = ({ length }) => {
    if (length !== payload.length) throw new Error(`${length} bytes arrived of ${payload.length}`);
    arrived += 1;
  };
  for (;;) {
    const sending = performance.now() - started < roundMs;
    for (let i = 0; sending && i < burst && sent - arrived < window; i += 1) {
      flow.send(payload);
      sent += 1;
    }
    if (!sending && arrived === sent) return (arrived / (performance.now() - started)) * 1000;
    if (performance.now() - started > patienceMs) throw new Error(`only ${arrived} of ${sent} messages arrived`);
    await setImmediate();
  }
}

async function rawFlow(): Promise<Flow> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  await once(server, "listening");
  const accepted = once(server, "connection") as Promise<[WebSocket]>;
  const dialled = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, { perMessageDeflate: false });
  await once(dialled, "open");
  const [listened] = await accepted;
  const flow: Flow = {
    send: (payload) => dialled.send(payload, { binary: true, compress: false }),
    arrived: () => {},
    async close() {
      dialled.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  listened.on("message", (data: RawData) => flow.arrived(data as Buffer));
  return flow;
}
