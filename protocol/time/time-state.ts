import { asText, asTuple, asUint, decodeTcbor, encodeTcbor, orNull } from "../base/index.ts";
import { ClockError } from "./errors.ts";
import { driftParts, driftSlackMs, maxSignedS, signedResolutionMs } from "./limits.ts";

/** The machine's clocks at one moment, as the Clock seam gives them. */
export interface ClockSample {
  readonly bootId: string;
  /** Runs through suspend, never back within a boot. */
  readonly sinceBootMs: number;
  /** Not believed. */
  readonly wallMs: number;
}

/**
 * What a node without NTP knows about the time: when the boot `bootId` was `sinceBootMs` old, it was at least `loMs` and, unless
 * null, at most `hiMs` (since 1970). A plain value to be stored; process restarts keep both ends, another boot keeps lo only.
 */
export interface TimeState {
  readonly loMs: number;
  readonly hiMs: number | null;
  readonly bootId: string;
  readonly sinceBootMs: number;
}

/** The state of a node that has heard no signed time yet. */
export function noTime(clock: ClockSample): TimeState {
  return { loMs: 0, hiMs: null, bootId: clock.bootId, sinceBootMs: clock.sinceBootMs };
}

/** The same knowledge as of `clock`: both ends moved on by the time that passed; to be stored now and then. */
export function advance(state: TimeState, clock: ClockSample): TimeState {
  const { bootId, sinceBootMs } = clock;
  // In another boot at least its own age has passed; how long the machine was off, nobody knows.
  if (bootId !== state.bootId) return { loMs: state.loMs + sinceBootMs, hiMs: null, bootId, sinceBootMs };
  const passed = Math.max(0, sinceBootMs - state.sinceBootMs);
  const drift = Math.ceil(passed / driftParts);
  const hiMs = state.hiMs === null ? null : state.hiMs + passed + drift;
  return { loMs: state.loMs + passed, hiMs, bootId, sinceBootMs: Math.max(sinceBootMs, state.sinceBootMs) };
}

/** A signed time was accepted: it is at least that late. Throws CLOCK_ABSURD. */
export function hearSigned(state: TimeState, clock: ClockSample, issuedAtS: number): TimeState {
  const now = advance(state, clock);
  const loMs = Math.max(now.loMs, signedMs(issuedAtS));
  return { ...now, loMs, hiMs: now.hiMs === null ? null : Math.max(now.hiMs, loMs) };
}

/** A signed time that answers a nonce of ours. */
export interface TimeAnswer {
  readonly issuedAtS: number;
  /** When and in which boot the nonce was made. */
  readonly asked: { readonly bootId: string; readonly sinceBootMs: number };
  /** Only a snapshot may set lo back. */
  readonly snapshot: boolean;
}

/**
 * A signed time that answers our nonce was accepted. Made after the nonce, it bounds the time from above too, if the nonce is of this
 * boot. `setBack` tells that lo was too high and went down: to be recorded and alarmed. Throws CLOCK_ABSURD.
 */
export function hearAnswer(state: TimeState, clock: ClockSample, answer: TimeAnswer): { state: TimeState; setBack: boolean } {
  const { asked, issuedAtS, snapshot } = answer;
  if (asked.bootId !== clock.bootId) return { state: hearSigned(state, clock, issuedAtS), setBack: false };
  const now = advance(state, clock);
  const loMs = signedMs(issuedAtS);
  const waited = Math.max(0, clock.sinceBootMs - asked.sinceBootMs);
  const hiMs = loMs + signedResolutionMs + waited + Math.ceil(waited / driftParts);
  if (hiMs + driftSlackMs < now.loMs) {
    // Something signed a time in the future before. A delta may be an old answer kept back; a snapshot is the vault's word of now.
    return snapshot ? { state: { ...now, loMs, hiMs }, setBack: true } : { state: now, setBack: false };
  }
  const lo = Math.max(now.loMs, loMs);
  const hi = Math.max(lo, now.hiMs === null ? hiMs : Math.min(now.hiMs, hiMs));
  return { state: { ...now, loMs: lo, hiMs: hi }, setBack: false };
}

/** The stored form: TCBOR `[loMs, hiMs | null, bootId, sinceBootMs]`. */
export function encodeTime(state: TimeState): Uint8Array {
  return encodeTcbor([state.loMs, state.hiMs, state.bootId, state.sinceBootMs]);
}

/** Inverse of {@link encodeTime}. Throws TCBOR_MALFORMED, TCBOR_SHAPE. */
export function decodeTime(bytes: Uint8Array): TimeState {
  const [lo, hi, bootId, sinceBoot] = asTuple(decodeTcbor(bytes), "time", 4);
  return {
    loMs: asUint(lo, "time.lo"),
    hiMs: orNull(hi, (value) => asUint(value, "time.hi")),
    bootId: asText(bootId, "time.bootId", 128),
    sinceBootMs: asUint(sinceBoot, "time.sinceBoot"),
  };
}

function signedMs(seconds: number): number {
  if (seconds > maxSignedS) throw new ClockError("CLOCK_ABSURD", "a signed time beyond any date");
  return seconds * 1000;
}
