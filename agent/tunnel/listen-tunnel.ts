import { TidegateError, toHex } from "../../protocol/base/index.ts";
import { type TunnelPeer, TunnelSession } from "../../protocol/tunnel/index.ts";
import { type Address, parseAddress } from "../address/index.ts";
import { JoinDesk, type JoinHandler } from "./join-desk.ts";
import { LiveSession } from "./live-session.ts";
import { type Admission, joinPath, type Listen, type Listening, type MessageStream } from "./message-stream.ts";
import type { SessionFacts, TunnelNode, TunnelReporter } from "./tunnel-node.ts";

export interface ListenerOptions {
  readonly node: TunnelNode;
  /** `host:port`; port 0 = any. */
  readonly address: string;
  readonly listen: Listen;
  /** False refuses the session with TUNNEL_NOT_ADMITTED. */
  admit(peer: TunnelPeer): boolean;
  /** Absent: the join path is closed. */
  readonly onJoin?: JoinHandler;
  readonly report: TunnelReporter;
}

export interface TunnelListener {
  readonly address: Address;
  /** The one live session of this node, or null. */
  sessionFor(nodeId: Uint8Array): SessionFacts | null;
  sessions(): readonly SessionFacts[];
  /** Something to send through this node was stored. Cheap; nothing happens where it has no session. */
  wake(nodeId: Uint8Array): void;
  /** Ends this node's session, if any: it was revoked. */
  drop(nodeId: Uint8Array): void;
  /** Idempotent. */
  close(): Promise<void>;
}

/** Listens for tunnels and joins. Throws ADDRESS_INVALID, LINK_LISTEN. */
export async function listenTunnel(options: ListenerOptions): Promise<TunnelListener> {
  const listener = new Listener(options);
  await listener.open(parseAddress(options.address));
  return listener;
}

/** The newest session of a node. */
interface Seat {
  readonly live: LiveSession;
  readonly counter: number;
}

class Listener implements TunnelListener {
  readonly #options: ListenerOptions;
  readonly #joins: JoinDesk;
  /** By node id in hexadecimal. */
  readonly #seats = new Map<string, Seat>();
  /** All sessions, those that nobody is known in included; bounded by the server's lobby and by one seat a member. */
  readonly #live = new Set<LiveSession>();
  #listening: Listening | null = null;
  #closing: Promise<void> | null = null;
  #allClosed: () => void = () => {};

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#joins = new JoinDesk({ onJoin: options.onJoin ?? null, timers: options.node.seams.timers, report: options.report });
  }

  async open(address: Address): Promise<void> {
    this.#listening = await this.#options.listen({
      address,
      onStream: (stream, path, admission) => {
        if (path === joinPath) this.#joins.take(stream, admission);
        else this.#begin(stream, admission);
      },
    });
  }

  get address(): Address {
    return this.#listening?.address ?? { host: "", port: 0 };
  }

  sessionFor(nodeId: Uint8Array): SessionFacts | null {
    return this.#seats.get(toHex(nodeId))?.live.facts ?? null;
  }

  sessions(): readonly SessionFacts[] {
    const out: SessionFacts[] = [];
    for (const { live } of this.#seats.values()) if (live.facts !== null) out.push(live.facts);
    return out;
  }

  wake(nodeId: Uint8Array): void {
    this.#seats.get(toHex(nodeId))?.live.wake();
  }

  drop(nodeId: Uint8Array): void {
    this.#seats.get(toHex(nodeId))?.live.end("TRUST_REVOKED");
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#joins.close();
    const gone = new Promise<void>((resolve) => {
      this.#allClosed = resolve;
    });
    for (const live of [...this.#live]) live.end("TUNNEL_CLOSED");
    if (this.#live.size > 0) await gone;
    await this.#listening?.close();
  }

  #begin(stream: MessageStream, admission: Admission): void {
    const { node } = this.#options;
    if (this.#closing !== null) return refuse(stream);
    let session: TunnelSession;
    try {
      const { binding } = stream;
      const identity = { nodeId: node.nodeId, member: node.member(), signing: node.signing, trust: node.trust() };
      const { random, clock } = node.seams;
      session = TunnelSession.listen({ ...identity, binding, random }, clock.sinceBootMs());
    } catch (error) {
      if (!(error instanceof TidegateError)) throw error;
      this.#options.report({ name: "tunnel.closed", peer: null, remote: stream.remote, code: error.code, wasOpen: false });
      return refuse(stream);
    }
    let wasOpen = false;
    const live: LiveSession = new LiveSession({
      node,
      stream,
      direction: "inbound",
      session,
      first: [],
      hooks: {
        authenticated: (peer, counter) => {
          const refusal = this.#seat(peer, counter, live);
          if (refusal === null) admission.admit();
          return refusal;
        },
        opened: (facts) => {
          wasOpen = true;
          this.#options.report({ name: "tunnel.opened", peer: facts.peer, remote: stream.remote, session: facts.session });
        },
        itemRefused: (peer, item, outcome) =>
          this.#options.report({ name: "tunnel.item-refused", peer, id: toHex(item.id), outcome }),
        closed: (peer, code) => {
          this.#leave(live, peer);
          this.#options.report({ name: "tunnel.closed", peer, remote: stream.remote, code, wasOpen });
        },
      },
    });
    this.#live.add(live);
  }

  /** One seat a node: the newest handshake has it. A handshake that comes later than a newer one is refused. */
  #seat(peer: TunnelPeer, counter: number, live: LiveSession): string | null {
    if (!this.#options.admit(peer)) return "TUNNEL_NOT_ADMITTED";
    const key = toHex(peer.nodeId);
    const before = this.#seats.get(key);
    if (before !== undefined && before.counter >= counter) return "TUNNEL_SUPERSEDED";
    this.#seats.set(key, { live, counter });
    before?.live.end("TUNNEL_SUPERSEDED");
    return null;
  }

  #leave(live: LiveSession, peer: TunnelPeer | null): void {
    this.#live.delete(live);
    if (peer !== null && this.#seats.get(toHex(peer.nodeId))?.live === live) this.#seats.delete(toHex(peer.nodeId));
    if (this.#live.size === 0) this.#allClosed();
  }
}

function refuse(stream: MessageStream): void {
  stream.start({ message() {}, drained() {}, closed() {} });
  stream.close(0);
}
