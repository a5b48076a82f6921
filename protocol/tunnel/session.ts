import {
  asBoolean,
  assert,
  asTuple,
  asUint,
  decodeTcbor,
  encodeTcbor,
  TidegateError,
  toHex,
  unreachable,
} from "../base/index.ts";
import { codeOfReason, maxCloseReason, reasonOfCode } from "./close-reason.ts";
import { DiallerHandshake, type DiallerHandshakeOptions } from "./dialler-handshake.ts";
import type { CourierFrameKind, TunnelEffect } from "./effect.ts";
import { TunnelError } from "./errors.ts";
import { type Frame, FrameReader, FrameWriter, frameKind } from "./frame.ts";
import type { HandshakeOptions, HandshakeResult } from "./handshake.ts";
import { handshakeMs, maxHeads, maxHeadsPerMessage, pingMs, sessionLifetimeMs } from "./limits.ts";
import { ListenerHandshake } from "./listener-handshake.ts";
import { Liveness } from "./liveness.ts";
import { reading } from "./messages.ts";
import { headsFromTcbor, headsToTcbor, type StreamHead } from "./stream-head.ts";
import type { TunnelPeer } from "./tunnel-trust.ts";

/** Times of a session, milliseconds; the defaults are those of limits.ts. */
export interface SessionTimes {
  readonly handshakeMs?: number;
  readonly pingMs?: number;
  /** At most the default; a dialler takes a little less at random so that a fleet does not come back at once. */
  readonly lifetimeMs?: number;
}

interface Standing {
  readonly peer: TunnelPeer;
  readonly session: string;
  readonly writer: FrameWriter;
  readonly reader: FrameReader;
  /** The peer's heads so far: M3's, then those of its first frames. */
  readonly peerHeads: StreamHead[];
}

type State =
  | { readonly at: "awaiting-m2"; readonly handshake: DiallerHandshake; readonly heads: readonly StreamHead[] }
  | { readonly at: "awaiting-m1"; readonly handshake: ListenerHandshake }
  | { readonly at: "awaiting-m3"; readonly handshake: ListenerHandshake }
  /** Keys stand. Ours are told once `told`, the peer's once `heard`; both = open. */
  | { readonly at: "confirming"; readonly standing: Standing; readonly told: boolean; readonly heard: boolean }
  | { readonly at: "open"; readonly standing: Standing; readonly liveness: Liveness }
  | { readonly at: "closed" };

/**
 * One session of the tunnel, either role, without I/O: bytes and time in, effects out. Whatever the peer does out of place ends it
 * with a code; after the effect `closed` nothing has an effect any more. Times are since-boot milliseconds.
 */
export class TunnelSession {
  readonly #times: Required<SessionTimes>;
  readonly #startedAt: number;
  #state: State;
  #effects: TunnelEffect[] = [];

  private constructor(state: State, now: number, times: SessionTimes) {
    this.#state = state;
    this.#startedAt = now;
    this.#times = { handshakeMs, pingMs, lifetimeMs: sessionLifetimeMs, ...times };
  }

  /** The dialler's end; its first effect sends M1. */
  static dial(options: DiallerHandshakeOptions, now: number, times: SessionTimes = {}): [TunnelSession, TunnelEffect[]] {
    assert(options.heads.length <= maxHeads, "a node has few enough heads to tell");
    const handshake = new DiallerHandshake(options);
    const session = new TunnelSession({ at: "awaiting-m2", handshake, heads: options.heads }, now, times);
    return [session, [{ kind: "send", bytes: handshake.first }]];
  }

  /** The listener's end; it speaks when spoken to. */
  static listen(options: HandshakeOptions, now: number, times: SessionTimes = {}): TunnelSession {
    return new TunnelSession({ at: "awaiting-m1", handshake: new ListenerHandshake(options) }, now, times);
  }

  get state(): State["at"] {
    return this.#state.at;
  }

  /** When the peer was last heard; null before the session is open. */
  get lastHeard(): number | null {
    return this.#state.at === "open" ? this.#state.liveness.lastHeard : null;
  }

  /** When {@link tick} must be called at the latest; null once closed. */
  get deadline(): number | null {
    if (this.#state.at === "closed") return null;
    return this.#state.at === "open" ? this.#state.liveness.deadline : this.#startedAt + this.#times.handshakeMs;
  }

  /** One message of the peer's. */
  receive(bytes: Uint8Array, now: number): TunnelEffect[] {
    return this.#guarded(() => this.#receive(bytes, now));
  }

  /** Time passed. */
  tick(now: number): TunnelEffect[] {
    return this.#guarded(() => {
      const state = this.#state;
      if (state.at === "open") {
        if (state.liveness.tick(now)) this.#send(state.standing.writer.write(frameKind.ping));
      } else if (state.at !== "closed" && now >= this.#startedAt + this.#times.handshakeMs) {
        throw new TunnelError("TUNNEL_HANDSHAKE_TIMEOUT", "no session within its time");
      }
    });
  }

  /** Listener: takes the authenticated dialler in and tells it our heads. Nothing happens where the session ended meanwhile. */
  admit(heads: readonly StreamHead[], now: number): TunnelEffect[] {
    return this.#guarded(() => {
      const state = this.#state;
      if (state.at === "closed") return;
      assert(state.at === "confirming" && !state.told, "a dialler is admitted once");
      this.#tellHeads(state.standing, heads);
      this.#confirm({ ...state, told: true }, now);
    });
  }

  /** Our side ends the session; `code` is one of TUNNEL_CODES, or the code of what failed here. */
  end(code: string): TunnelEffect[] {
    return this.#guarded(() => this.#close(code));
  }

  /** The connection is gone; nothing can be told any more. */
  lost(code: string): TunnelEffect[] {
    return this.#guarded(() => {
      if (this.#state.at !== "closed") this.#finish(code, reasonOfCode(code));
    });
  }

  /** A courier frame to send; the session must be open. */
  frame(kind: CourierFrameKind, ...payload: readonly Uint8Array[]): Uint8Array {
    assert(this.#state.at === "open", "items flow in an open session only");
    return this.#state.standing.writer.write(kind, ...payload);
  }

  #receive(bytes: Uint8Array, now: number): void {
    const state = this.#state;
    switch (state.at) {
      case "awaiting-m1":
        this.#send(state.handshake.answer(bytes));
        this.#state = { at: "awaiting-m3", handshake: state.handshake };
        return;
      case "awaiting-m2": {
        const result = state.handshake.answer(bytes, (statements) => this.#effects.push({ kind: "learn", statements }));
        this.#send(result.m3);
        const standing = stand(result, "dialler");
        this.#tellHeads(standing, state.heads.slice(maxHeadsPerMessage));
        this.#state = { at: "confirming", standing, told: true, heard: false };
        return;
      }
      case "awaiting-m3": {
        const result = state.handshake.finish(bytes);
        const standing = stand(result, "listener");
        this.#state = { at: "confirming", standing, told: false, heard: false };
        this.#effects.push({ kind: "authenticated", peer: standing.peer, counter: result.counter });
        return;
      }
      case "confirming":
        return this.#receiveHeads(state, state.standing.reader.read(bytes), now);
      case "open":
        return this.#receiveFrame(state, state.standing.reader.read(bytes), now);
      case "closed":
        return;
      default:
        unreachable(state);
    }
  }

  #receiveHeads(state: State & { at: "confirming" }, frame: Frame, now: number): void {
    if (frame.kind === frameKind.close) return this.#closedByPeer(frame);
    if (frame.kind !== frameKind.heads || state.heard) throw unexpected(frame);
    const { peerHeads } = state.standing;
    const [final, heads] = reading(() => {
      const [last, list] = asTuple(decodeTcbor(frame.payload), "heads", 2);
      return [asBoolean(last, "heads.last"), headsFromTcbor(list, "heads.list", maxHeadsPerMessage)] as const;
    });
    if (peerHeads.length + heads.length > maxHeads) throw new TunnelError("TUNNEL_TOO_LARGE", `more than ${maxHeads} heads`);
    peerHeads.push(...heads);
    if (final) this.#confirm({ ...state, heard: true }, now);
  }

  #receiveFrame(state: State & { at: "open" }, frame: Frame, now: number): void {
    state.liveness.heard(now);
    switch (frame.kind) {
      case frameKind.itemPart:
      case frameKind.hopAck:
      case frameKind.credit:
        this.#effects.push({ kind: "frame", frame: frame.kind, payload: frame.payload });
        return;
      case frameKind.ping:
        expectEmpty(frame);
        return this.#send(state.standing.writer.write(frameKind.pong));
      case frameKind.pong:
        expectEmpty(frame);
        return state.liveness.ponged();
      case frameKind.close:
        return this.#closedByPeer(frame);
      default:
        throw unexpected(frame);
    }
  }

  #confirm(state: State & { at: "confirming" }, now: number): void {
    this.#state = state;
    if (!state.told || !state.heard) return;
    const { standing } = state;
    const liveness = new Liveness({ now, pingMs: this.#times.pingMs, lifetimeMs: this.#times.lifetimeMs });
    this.#state = { at: "open", standing, liveness };
    this.#effects.push({ kind: "opened", peer: standing.peer, heads: standing.peerHeads, session: standing.session });
  }

  /** At least one frame, also for no heads: it confirms the keys. The last one says that it is. */
  #tellHeads(standing: Standing, heads: readonly StreamHead[]): void {
    assert(heads.length <= maxHeads, "a node has few enough heads to tell");
    for (let at = 0; at === 0 || at < heads.length; at += maxHeadsPerMessage) {
      const last = at + maxHeadsPerMessage >= heads.length;
      const payload = encodeTcbor([last, headsToTcbor(heads.slice(at, at + maxHeadsPerMessage))]);
      this.#send(standing.writer.write(frameKind.heads, payload));
    }
  }

  #closedByPeer(frame: Frame): void {
    const reason = reading(() => asUint(decodeTcbor(frame.payload), "close.reason", maxCloseReason));
    this.#finish(codeOfReason(reason), reason);
  }

  #close(code: string): void {
    const state = this.#state;
    if (state.at === "closed") return;
    const reason = reasonOfCode(code);
    if (state.at === "open" || (state.at === "confirming" && state.told)) {
      this.#send(state.standing.writer.write(frameKind.close, encodeTcbor(reason)));
    }
    this.#finish(code, reason);
  }

  #finish(code: string, reason: number): void {
    const state = this.#state;
    if (state.at === "confirming" || state.at === "open") {
      state.standing.writer.wipe();
      state.standing.reader.wipe();
    }
    this.#state = { at: "closed" };
    this.#effects.push({ kind: "closed", code, reason });
  }

  #send(bytes: Uint8Array): void {
    this.#effects.push({ kind: "send", bytes });
  }

  /** Every error of the peer's ends the session with its code; our own bugs go through. */
  #guarded(work: () => void): TunnelEffect[] {
    try {
      work();
    } catch (error) {
      if (!(error instanceof TidegateError)) throw error;
      this.#close(error.code);
    }
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}

function stand(result: HandshakeResult, role: "dialler" | "listener"): Standing {
  const { peer, keys, heads } = result;
  const { nodeId, name, role: peerRole, zone, serial } = peer;
  const [sending, receiving] =
    role === "dialler" ? [keys.diallerToListener, keys.listenerToDialler] : [keys.listenerToDialler, keys.diallerToListener];
  const writer = new FrameWriter(sending);
  const reader = new FrameReader(receiving);
  sending.fill(0);
  receiving.fill(0);
  return {
    peer: { nodeId, name, role: peerRole, zone, serial },
    session: toHex(keys.sessionId.subarray(0, 8)),
    writer,
    reader,
    peerHeads: [...heads],
  };
}

function expectEmpty(frame: Frame): void {
  if (frame.payload.length > 0) throw new TunnelError("TUNNEL_MALFORMED", "a ping or pong has no payload");
}

function unexpected(frame: Frame): TunnelError {
  return new TunnelError("TUNNEL_UNEXPECTED", `frame of kind ${frame.kind} has no place here`);
}
