import type { ProxyRoute } from "../../../agent/proxy/index.ts";
import {
  type DialledTunnel,
  dialTunnel,
  listenTunnel,
  socketDial,
  socketListen,
  type TunnelListener,
} from "../../../agent/tunnel/index.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { SampleAuthority, type SampleTls } from "../../support/tunnel-certificates.ts";
import { type TunnelMember, TunnelWorld } from "../../support/tunnel-members.ts";
import { RigNode, seededRandom } from "./rig.ts";

/** Certificates whose dates were over in 1972: the machine's clock says otherwise, and nobody minds. */
export const authority = new SampleAuthority(Date.UTC(1971, 0, 1), seededRandom("ca"));
export const foreign = new SampleAuthority(Date.UTC(2026, 0, 1), seededRandom("foreign"));
const world = new TunnelWorld([authority.publicKey]);

interface Peer {
  readonly tls: SampleTls;
  readonly member: TunnelMember;
}

export function peer(byte: number, role: 1 | 2, by = authority): Peer {
  const tls = by.issue(`node-${byte}`);
  return { tls, member: world.node(byte, { role, tlsKeyHash: tls.spkiHash }) };
}

export const gatewayPeer = peer(41, 1);
export const edgePeer = peer(42, 2);

/** A gateway that listens and edges that dial it, over real sockets. */
export class SocketRig {
  readonly clock = new ManualClock();
  readonly gateway = this.node(gatewayPeer.member, "gateway");
  readonly edge = this.node(edgePeer.member, "edge");
  readonly closing: { close(): Promise<void> }[] = [];

  node(member: TunnelMember, seed: string): RigNode {
    return new RigNode({ member, state: world.state, clock: this.clock, seed });
  }

  async listen(
    options: { tls?: SampleTls; host?: string; port?: number; server?: Parameters<typeof socketListen>[1] } = {},
  ): Promise<TunnelListener> {
    const listener = await listenTunnel({
      node: this.gateway,
      address: `${options.host ?? "127.0.0.1"}:${options.port ?? 0}`,
      listen: socketListen(options.tls ?? gatewayPeer.tls, options.server),
      admit: () => true,
      onJoin: async (carrier) => (carrier[0] === 1 ? { refuse: "JOIN_CODE_SPENT" } : { carrier: carrier.slice().reverse() }),
      report: this.gateway.report,
    });
    this.closing.push(listener);
    return listener;
  }

  /** Listens as another member than the gateway that everybody dials. */
  async listenAs(as: Peer, server: Parameters<typeof socketListen>[1]): Promise<TunnelListener> {
    const node = this.node(as.member, "other");
    const listen = socketListen(as.tls, server);
    const listener = await listenTunnel({ node, address: "127.0.0.1:0", listen, admit: () => true, report: node.report });
    this.closing.push(listener);
    return listener;
  }

  dial(
    address: string,
    tls: SampleTls = edgePeer.tls,
    node: RigNode = this.edge,
    proxy: ProxyRoute | null = null,
  ): DialledTunnel {
    const tunnel = dialTunnel({
      node,
      peer: () => gatewayPeer.member.nodeId,
      address,
      dial: socketDial(tls, proxy),
      nextCounter: node.nextCounter,
      report: node.report,
    });
    this.closing.push(tunnel);
    return tunnel;
  }

  async close(): Promise<void> {
    for (const one of this.closing.reverse()) await one.close();
  }
}

/** Resolves at the next event of this name that the node reports. */
export function reported(node: RigNode, name: RigNode["events"][number]["name"], after = 0): Promise<void> {
  return new Promise((resolve) => {
    const look = () => (node.count(name) > after ? resolve() : setImmediate(look));
    look();
  });
}

/** Sockets, servers and timers that keep the process alive, by kind, once the handles of closed ones are gone. */
export async function handles(): Promise<Record<string, number>> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  const counts: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) {
    if (/TCP|TLS|Timeout/.test(name)) counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
