import { TidegateError, toHex } from "../../protocol/base/index.ts";
import { maxHello2Bytes, sessionLifetimeMs, type TunnelPeer, TunnelSession } from "../../protocol/tunnel/index.ts";
import { type Address, parseAddress } from "../address/index.ts";
import { BackOff } from "./back-off.ts";
import { inspected, LinkError } from "./errors.ts";
import { dialMs, steadySessionMs } from "./limits.ts";
import { LiveSession } from "./live-session.ts";
import { type Dial, type MessageStream, tunnelPath } from "./message-stream.ts";
import type { SessionFacts, TunnelNode, TunnelReporter } from "./tunnel-node.ts";

export interface DialOptions {
  readonly node: TunnelNode;
  /** Node id of the listener, 20 bytes, asked at each dial; any other but its successor is refused. May throw: the dial then failed. */
  peer(): Uint8Array;
  /** `host:port`; the name is looked up at each dial. */
  readonly address: string;
  /** Its streams say whether the session is bound to TLS (mode `direct`) or goes through an inspecting proxy. */
  readonly dial: Dial;
  /** Numbers our sessions: above every number before, durable before it returns. */
  nextCounter(): number;
  readonly report: TunnelReporter;
}

/** A tunnel that dials, and dials again, until it is closed. */
export interface DialledTunnel {
  status(): TunnelStatus;
  /** Something to send was stored. Cheap; call it as often as you like. */
  wake(): void;
  /** Ends the present session, if any: its peer was revoked. */
  drop(): void;
  /** Idempotent. */
  close(): Promise<void>;
}

export type TunnelStatus = { readonly state: "open"; readonly facts: SessionFacts } | AwayStatus | { readonly state: "closed" };

/** No session stands. Times are since-boot milliseconds. */
export interface AwayStatus {
  readonly state: "connecting" | "waiting";
  /** Why the last attempt or session ended, and what to do about it; null before the first. */
  readonly lastCode: string | null;
  readonly lastHint: string | null;
  /** Since when. */
  readonly sinceMs: number;
  /** When the peer was heard last; null where it never was since this process began. */
  readonly lastHeardMs: number | null;
}

/** Share of a session's greatest age that a dialler gives up at random, so that a fleet's sessions do not end together. */
const lifetimeSpread = 0.1;

/** How a handshake ends whose TLS something in between ended. */
const aboutTls: ReadonlySet<string> = new Set([
  "TUNNEL_REFUSED_BY_PEER",
  "TUNNEL_MODE_MISMATCH",
  "TUNNEL_BAD_SIGNATURE",
  "TUNNEL_TLS_KEY",
  "TUNNEL_TLS_CHAIN",
]);

/** Keeps one session to the listener alive. Throws ADDRESS_INVALID; what fails later is reported and tried again. */
export function dialTunnel(options: DialOptions): DialledTunnel {
  return new Dialler(options, parseAddress(options.address));
}

class Dialler implements DialledTunnel {
  readonly #options: DialOptions;
  readonly #address: Address;
  readonly #backOff: BackOff;
  #state: "connecting" | "waiting" | "closed" = "connecting";
  #last: { readonly code: string | null; readonly hint: string | null } = { code: null, hint: null };
  #awaySinceMs: number;
  #lastHeardMs: number | null = null;
  /** Ends whatever goes on now: an attempt or a wait. */
  #cancel: () => void = () => {};
  #live: LiveSession | null = null;
  #openedAt: number | null = null;
  readonly #ended: Promise<void>;
  #end: () => void = () => {};

  constructor(options: DialOptions, address: Address) {
    this.#options = options;
    this.#address = address;
    this.#backOff = new BackOff(options.node.seams.random);
    this.#awaySinceMs = options.node.seams.clock.sinceBootMs();
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#attempt();
  }

  status(): TunnelStatus {
    const facts = this.#live?.facts ?? null;
    if (this.#state === "closed") return { state: "closed" };
    if (facts !== null) return { state: "open", facts };
    const { code: lastCode, hint: lastHint } = this.#last;
    return { state: this.#state, lastCode, lastHint, sinceMs: this.#awaySinceMs, lastHeardMs: this.#lastHeardMs };
  }

  wake(): void {
    this.#live?.wake();
  }

  drop(): void {
    this.#live?.end("TRUST_REVOKED");
  }

  close(): Promise<void> {
    if (this.#state === "closed") return this.#ended;
    const connecting = this.#state === "connecting";
    this.#state = "closed";
    this.#cancel();
    this.#live?.end("TUNNEL_CLOSED");
    // Else the attempt or the session under way says when it is over.
    if (!connecting) this.#end();
    return this.#ended;
  }

  #attempt(): void {
    this.#state = "connecting";
    const { node, dial } = this.#options;
    const abort = new AbortController();
    const cancelTimer = node.seams.timers.after(dialMs, () => abort.abort());
    this.#cancel = () => abort.abort();
    const target = { address: this.#address, path: tunnelPath, maxMessageBytes: maxHello2Bytes } as const;
    dial(target, abort.signal)
      .finally(cancelTimer)
      .then((stream) => this.#begin(stream))
      .catch((error: unknown) => this.#failed(error));
  }

  async #begin(stream: MessageStream): Promise<void> {
    try {
      const { node } = this.#options;
      const peer = this.#options.peer();
      const { binding } = stream;
      const trust = node.trust();
      // Judged in the handshake, once its roots were learned; here it only names what a failed one most likely met.
      const foreign = binding.mode === "direct" && !binding.peerSignedBy(trust.tlsCaKeys);
      const heads = await node.mailroom.heads(peer);
      if (this.#state === "closed") throw new LinkError("LINK_UNREACHABLE", "closed while dialling");
      const lifetimeMs = Math.floor(sessionLifetimeMs * (1 - lifetimeSpread * this.#backOff.share()));
      const [session, first] = TunnelSession.dial(
        {
          nodeId: node.nodeId,
          member: node.member(),
          signing: node.signing,
          trust,
          random: node.seams.random,
          binding,
          peer,
          counter: this.#options.nextCounter(),
          heads,
        },
        node.seams.clock.sinceBootMs(),
        { lifetimeMs },
      );
      this.#live = new LiveSession({
        node,
        stream,
        direction: "outbound",
        session,
        first,
        hooks: this.#hooks(stream.remote, foreign),
      });
    } catch (error) {
      // Started so that it closes in order; nothing is read from it.
      stream.start({ message() {}, drained() {}, closed() {} });
      stream.close(0);
      throw error;
    }
  }

  #hooks(remote: string, foreign: boolean) {
    const { report, node } = this.#options;
    return {
      authenticated: () => null,
      opened: (facts: SessionFacts) => {
        this.#openedAt = node.seams.clock.sinceBootMs();
        this.#last = { code: null, hint: null };
        report({ name: "tunnel.opened", peer: facts.peer, remote, session: facts.session });
      },
      itemRefused: (peer: TunnelPeer, item: { id: Uint8Array }, outcome: string) =>
        report({ name: "tunnel.item-refused", peer, id: toHex(item.id), outcome }),
      closed: (peer: TunnelPeer | null, ended: string) => {
        const error =
          foreign && this.#openedAt === null && aboutTls.has(ended) ? inspected(`the handshake ended with ${ended}`) : null;
        const code = error?.code ?? ended;
        report({ name: "tunnel.closed", peer, remote, code, wasOpen: this.#openedAt !== null });
        this.#over(code, error?.hint ?? null);
      },
    };
  }

  /** A session is over: dial again, at once where it ended by age. */
  #over(code: string, hint: string | null): void {
    const nowMs = this.#options.node.seams.clock.sinceBootMs();
    const steady = this.#openedAt !== null && nowMs - this.#openedAt >= steadySessionMs;
    if (this.#openedAt !== null) {
      this.#awaySinceMs = nowMs;
      this.#lastHeardMs = this.#live?.lastHeardMs ?? this.#lastHeardMs;
    }
    this.#live = null;
    this.#openedAt = null;
    this.#last = { code, hint };
    if (this.#state === "closed") return this.#end();
    if (steady) this.#backOff.reset();
    if (steady && code === "TUNNEL_SESSION_ENDED") return this.#attempt();
    this.#wait();
  }

  #failed(error: unknown): void {
    if (!(error instanceof TidegateError)) throw error;
    if (this.#state === "closed") return this.#end();
    this.#last = { code: error.code, hint: error.hint ?? null };
    const retryInMs = this.#wait();
    this.#options.report({ name: "tunnel.dial-failed", code: error.code, retryInMs });
  }

  #wait(): number {
    const delayMs = this.#backOff.next();
    this.#state = "waiting";
    this.#cancel = this.#options.node.seams.timers.after(delayMs, () => this.#attempt());
    return delayMs;
  }
}
