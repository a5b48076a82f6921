import { randomBytes } from "node:crypto";
import { machineSeams } from "../../agent/seams/index.ts";
import {
  type Admission,
  type MessageStream,
  type StreamReceiver,
  socketDial,
  socketListen,
  tunnelPath,
} from "../../agent/tunnel/index.ts";
import { nodeRole } from "../../protocol/trust/index.ts";
import { frameKind, maxHello2Bytes, type TunnelEffect, TunnelSession } from "../../protocol/tunnel/index.ts";
import { SampleAuthority } from "../../test/support/tunnel-certificates.ts";
import { TunnelWorld } from "../../test/support/tunnel-members.ts";

const random = (length: number) => new Uint8Array(randomBytes(length));
const { clock } = machineSeams();

/** Something that carries messages one way. */
export interface Flow {
  send(payload: Uint8Array): void;
  /** Called for each payload that arrived. */
  arrived: (payload: Uint8Array) => void;
  close(): Promise<void>;
}

/** Two ends of one TLS 1.3 WebSocket connection of ours, each with the identity that a session needs. */
export class TunnelPair {
  readonly #dialled: MessageStream;
  readonly #listened: MessageStream;
  readonly #closeServer: () => Promise<void>;
  readonly #members: Record<"edge" | "gateway", ReturnType<TunnelWorld["node"]>>;
  readonly #world: TunnelWorld;

  private constructor(parts: {
    dialled: MessageStream;
    listened: MessageStream;
    close: () => Promise<void>;
    members: Record<"edge" | "gateway", ReturnType<TunnelWorld["node"]>>;
    world: TunnelWorld;
  }) {
    this.#dialled = parts.dialled;
    this.#listened = parts.listened;
    this.#closeServer = parts.close;
    this.#members = parts.members;
    this.#world = parts.world;
  }

  static async open(): Promise<TunnelPair> {
    const authority = new SampleAuthority(Date.now(), random);
    const world = new TunnelWorld([authority.publicKey]);
    const tls = { edge: authority.issue("edge"), gateway: authority.issue("gateway") };
    const members = {
      edge: world.node(42, { role: nodeRole.edge, tlsKeyHash: tls.edge.spkiHash }),
      gateway: world.node(41, { role: nodeRole.gateway, tlsKeyHash: tls.gateway.spkiHash }),
    };
    const arriving = Promise.withResolvers<MessageStream>();
    const server = await socketListen(tls.gateway)({
      address: { host: "127.0.0.1", port: 0 },
      onStream: (stream, _path, admission: Admission) => {
        admission.admit();
        arriving.resolve(stream);
      },
    });
    const target = { address: server.address, path: tunnelPath, maxMessageBytes: maxHello2Bytes } as const;
    const dialled = await socketDial(tls.edge)(target, new AbortController().signal);
    const listened = await arriving.promise;
    return new TunnelPair({ dialled, listened, close: () => server.close(), members, world });
  }

  /** The connection alone. */
  messages(): Flow {
    const flow: Flow = {
      send: (payload) => this.#dialled.send(payload),
      arrived: () => {},
      close: () => this.#close(),
    };
    this.#dialled.start(receiver(() => {}));
    this.#listened.start(receiver((bytes) => flow.arrived(bytes)));
    return flow;
  }

  /** Frames of an open session over it: numbered, authenticated, checked and judged by the session at the other end. */
  async frames(): Promise<Flow> {
    const { trust } = this.#world;
    const { edge, gateway } = this.#members;
    const now = () => clock.sinceBootMs();
    const [dialler, first] = TunnelSession.dial(
      { ...edge, trust, random, binding: this.#dialled.binding, peer: gateway.nodeId, counter: 1, heads: [] },
      now(),
    );
    const listener = TunnelSession.listen({ ...gateway, trust, random, binding: this.#listened.binding }, now());
    const opened = Promise.withResolvers<void>();
    const flow: Flow = {
      send: (payload) => this.#dialled.send(dialler.frame(frameKind.itemPart, payload)),
      arrived: () => {},
      close: () => this.#close(),
    };
    const carryOut = (stream: MessageStream, effects: readonly TunnelEffect[]): void => {
      for (const effect of effects) {
        if (effect.kind === "send") stream.send(effect.bytes);
        else if (effect.kind === "frame") flow.arrived(effect.payload);
        else if (effect.kind === "authenticated") carryOut(stream, listener.admit([], now()));
        else if (effect.kind === "opened" && stream === this.#dialled) opened.resolve();
        else if (effect.kind === "closed") opened.reject(new Error(`the session ended: ${effect.code}`));
      }
    };
    this.#listened.start(receiver((bytes) => carryOut(this.#listened, listener.receive(bytes, now()))));
    this.#dialled.start(receiver((bytes) => carryOut(this.#dialled, dialler.receive(bytes, now()))));
    carryOut(this.#dialled, first);
    await opened.promise;
    return flow;
  }

  async #close(): Promise<void> {
    this.#dialled.close(0);
    await this.#closeServer();
  }
}

function receiver(message: (bytes: Uint8Array) => void): StreamReceiver {
  return { message, drained() {}, closed() {} };
}
