// One end of the row in reconnect.ts, in a process of its own: told by its parent what to do, gone with its parent.
import { createPrivateKey, hash, randomBytes } from "node:crypto";
import { machineSeams } from "../../agent/seams/index.ts";
import type { TunnelNode } from "../../agent/tunnel/index.ts";
import { type DialledTunnel, dialTunnel, listenTunnel, socketDial, socketListen } from "../../agent/tunnel/index.ts";
import { signingKeyFromSeed } from "../../protocol/keys/index.ts";
import { nodeRole } from "../../protocol/trust/index.ts";
import { MemoryMailroom } from "../../test/support/memory-mailroom.ts";
import { type TunnelMember, TunnelWorld } from "../../test/support/tunnel-members.ts";

/** Key and certificate as they cross between processes, base64. */
export interface SentTls {
  readonly key: string;
  readonly chain: readonly string[];
  readonly spkiHash: string;
}

export type ReconnectOrder =
  | { readonly kind: "listen"; readonly caKey: string; readonly tls: SentTls }
  | {
      readonly kind: "prepare";
      readonly caKey: string;
      readonly tls: SentTls;
      readonly gateway: SentTls;
      readonly port: number;
      readonly nodes: number;
    }
  /** One node after the other: dials, opens a session, closes it. */
  | { readonly kind: "in-turn"; readonly nodes: number }
  /** All of these at once; answered when all are back. */
  | { readonly kind: "all"; readonly nodes: number }
  | { readonly kind: "cpu" };

/** What is answered; which members depends on the order. */
export interface ReconnectAnswer {
  readonly port?: number;
  readonly cpuMs?: number;
  /** Since the first dial until a session stood, ms, of each node. */
  readonly backMs?: readonly number[];
  /** Dials that failed and were tried again. */
  readonly failed?: number;
}

const gatewayByte = 41;
const seams = machineSeams();
const bytes = (text: string) => new Uint8Array(Buffer.from(text, "base64"));

let diallers: { readonly node: TunnelNode; readonly member: TunnelMember; counter: number }[] = [];
let open: ((index: number, done: (ok: boolean) => void) => DialledTunnel) | null = null;

process.on("message", (order: ReconnectOrder) => {
  carryOut(order).then(
    (answer) => process.send?.(answer),
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.on("disconnect", () => process.exit(0));

async function carryOut(order: ReconnectOrder): Promise<ReconnectAnswer> {
  switch (order.kind) {
    case "listen":
      return listen(order);
    case "prepare":
      return prepare(order);
    case "in-turn":
      return inTurn(order.nodes);
    case "all":
      return all(order.nodes);
    case "cpu": {
      const { user, system } = process.cpuUsage();
      return { cpuMs: (user + system) / 1000 };
    }
  }
}

function tlsOf({ key, chain }: SentTls) {
  return { key: createPrivateKey({ key: Buffer.from(key, "base64"), format: "der", type: "pkcs8" }), chain: chain.map(bytes) };
}

function nodeOf(world: TunnelWorld, member: TunnelMember): TunnelNode {
  const { nodeId, signing } = member;
  const { trust } = world;
  return {
    nodeId,
    signing,
    member: () => member.member,
    trust: () => trust,
    learn: () => {},
    mailroom: new MemoryMailroom(),
    seams,
  };
}

async function listen({ caKey, tls }: ReconnectOrder & { kind: "listen" }): Promise<ReconnectAnswer> {
  const world = new TunnelWorld([bytes(caKey)]);
  const member = world.node(gatewayByte, { role: nodeRole.gateway, tlsKeyHash: bytes(tls.spkiHash) });
  const listener = await listenTunnel({
    node: nodeOf(world, member),
    address: "127.0.0.1:0",
    listen: socketListen(tlsOf(tls)),
    admit: () => true,
    report: () => {},
  });
  return { port: listener.address.port };
}

/** Each node has its own identity; they share a TLS key, which costs the gateway the same. */
async function prepare(order: ReconnectOrder & { kind: "prepare" }): Promise<ReconnectAnswer> {
  const world = new TunnelWorld([bytes(order.caKey)]);
  const gateway = world.node(gatewayByte, { role: nodeRole.gateway, tlsKeyHash: bytes(order.gateway.spkiHash) });
  const tlsKeyHash = bytes(order.tls.spkiHash);
  diallers = Array.from({ length: order.nodes }, (_, index) => {
    const signing = signingKeyFromSeed(new Uint8Array(hash("sha256", `returning ${index}`, "buffer")));
    const member = world.node(42, { signing, name: `edge-${index}`, tlsKeyHash });
    return { node: nodeOf(world, member), member, counter: randomBytes(4).readUInt32BE() };
  });
  const dial = socketDial(tlsOf(order.tls));
  open = (index, done) => {
    const dialler = diallers[index];
    if (dialler === undefined) throw new Error(`no node ${index}`);
    return dialTunnel({
      node: dialler.node,
      peer: () => gateway.nodeId,
      address: `127.0.0.1:${order.port}`,
      dial,
      nextCounter() {
        dialler.counter += 1;
        return dialler.counter;
      },
      report({ name }) {
        if (name === "tunnel.opened") done(true);
        else if (name === "tunnel.dial-failed" || name === "tunnel.closed") done(false);
      },
    });
  };
  return {};
}

async function inTurn(nodes: number): Promise<ReconnectAnswer> {
  for (let index = 0; index < nodes; index += 1) {
    const opened = Promise.withResolvers<void>();
    const tunnel = open?.(index, (ok) => ok && opened.resolve());
    await opened.promise;
    await tunnel?.close();
  }
  return {};
}

async function all(nodes: number): Promise<ReconnectAnswer> {
  const started = performance.now();
  const backMs: number[] = [];
  let failed = 0;
  const back = Promise.withResolvers<void>();
  for (let index = 0; index < nodes; index += 1) {
    open?.(index, (ok) => {
      if (!ok) failed += 1;
      else if (backMs.push(performance.now() - started) === nodes) back.resolve();
    });
  }
  await back.promise;
  return { backMs, failed };
}
