import { type RotationState, step, type Transition } from "../../protocol/rotation/index.ts";
import type { Options, Step } from "./device-world.ts";

/** Each bug is the real step function, broken in one place; the exploration must find it. */
export interface Planted {
  readonly bug: string;
  readonly step: Step;
  readonly world?: Options;
  readonly problem: RegExp;
}

function after(change: (to: Transition, from: RotationState) => RotationState): Step {
  return (state, event, inputs) => {
    const to = step(state, event, inputs);
    return { state: change(to, state), effects: to.effects };
  };
}

/** Candidates that are neither current nor next are dropped. */
function forgetful(state: RotationState): RotationState {
  return { ...state, candidates: state.candidates.filter(({ ref }) => ref === state.current || ref === state.next) };
}

/** The bugs that an exploration has to find; one that misses any does not count. */
export const planted: readonly Planted[] = [
  {
    bug: "push before intent",
    step: after((to, from) => {
      const pushes = to.effects.some((effect) => effect.kind === "device" && effect.action === "push");
      return pushes ? { ...to.state, candidates: from.candidates } : to.state;
    }),
    problem: /lost/,
  },
  {
    bug: "timeout taken as failure",
    step: (state, event, inputs) => {
      const timedOut = event.kind === "answer" && event.action === "push" && event.outcome === "AMBIGUOUS";
      if (!timedOut || state.phase !== "SENT") return step(state, event, inputs);
      const candidates = state.candidates.filter(({ ref }) => ref !== state.next);
      return { state: { ...state, phase: "IDLE", pending: null, next: null, candidates }, effects: [] };
    },
    problem: /lost/,
  },
  {
    bug: "network error taken as wrong password",
    step: (state, event, inputs) =>
      event.kind === "answer" && event.outcome === "NOT_SENT"
        ? step(state, { ...event, outcome: "REJECTED_AUTH" }, inputs)
        : step(state, event, inputs),
    problem: /unknown/,
  },
  {
    bug: "candidate dropped on retry",
    step: after(({ state }, from) =>
      from.phase === "PROBE" && state.phase === "STAGED"
        ? { ...state, candidates: state.candidates.filter(({ ref }) => ref === state.current) }
        : state,
    ),
    problem: /lost/,
  },
  {
    bug: "candidate dropped on policy change",
    step: after(({ state }, from) =>
      from.rejected.length < state.rejected.length ? forgetful({ ...state, next: null, phase: "PROBE" }) : state,
    ),
    world: { lies: true },
    problem: /lost/,
  },
  {
    bug: "candidate dropped on acknowledgement",
    step: (state, event, inputs) => {
      const to = step(state, event, inputs);
      return event.kind === "acknowledged" ? { ...to, state: { ...to.state, history: [] } } : to;
    },
    world: { resets: true },
    problem: /lost/,
  },
  {
    bug: "older candidates forgotten",
    step: after(({ state }) => (state.phase === "VERIFIED" ? { ...state, history: [] } : state)),
    world: { resets: true },
    problem: /lost/,
  },
  {
    bug: "volatile budget",
    step: (state, event, inputs) => {
      const to = step(state, event, inputs);
      return event.kind === "restart" ? { ...to, state: { ...to.state, spent: 0 } } : to;
    },
    problem: /locked out/,
  },
  {
    bug: "no budget",
    step: (state, event, inputs) => step(state, event, { ...inputs, attemptLimit: 100 }),
    problem: /locked out/,
  },
  {
    bug: "budget not spent after a restore",
    step: (state, event, inputs) => {
      const to = step(state, event, inputs);
      return event.kind === "restored" ? { ...to, state: { ...to.state, spent: 0 } } : to;
    },
    world: { restores: true },
    problem: /locked out/,
  },
  {
    bug: "attempt credited before its success",
    step: after(({ state }) => ({ ...state, spent: 0 })),
    problem: /not debited/,
  },
  {
    bug: "no save",
    step: (state, event, inputs) => {
      const to = step(state, event, inputs);
      const saves = to.effects.some((effect) => effect.kind === "device" && effect.action === "save");
      const { pending } = to.state;
      return saves && pending !== null
        ? step(to.state, { kind: "answer", ...pending, outcome: "OK", spent: false, prepareAgain: false }, inputs)
        : to;
    },
    problem: /not kept/,
  },
  {
    bug: "no save of what a probe found",
    step: after(({ state }) =>
      state.phase === "NEW-OK" && state.next === state.current ? { ...state, phase: "IDLE", next: null } : state,
    ),
    world: { gives: true, values: 1 },
    problem: /has not kept/,
  },
  {
    bug: "save on a device that is never written to",
    step: (state, event, inputs) => step(state, event, event.kind === "given" ? { ...inputs, policy: "on-demand" } : inputs),
    world: { policy: "never", gives: true, values: 1 },
    problem: /written to/,
  },
  {
    bug: "verify on the push session",
    step: (state, event, inputs) => {
      const to = step(state, event, inputs);
      return {
        ...to,
        effects: to.effects.map((effect) => (effect.kind === "device" ? { ...effect, session: "any" as const } : effect)),
      };
    },
    problem: /not kept/,
  },
  {
    bug: "verified before save",
    step: (state, event, inputs) => {
      const to = step(state, event, inputs);
      if (to.state.phase !== "NEW-OK" || to.state.next === null) return to;
      return {
        state: to.state,
        effects: [...to.effects, { kind: "report", report: "verified", ref: to.state.next, code: null }],
      };
    },
    problem: /not kept/,
  },
  {
    bug: "report before verified",
    step: (state, event, inputs) => {
      const to = step(state, event, inputs);
      const pushed = event.kind === "answer" && event.action === "push" && event.outcome === "OK";
      if (!pushed) return to;
      return { ...to, effects: [...to.effects, { kind: "report", report: "verified", ref: event.ref, code: null }] };
    },
    problem: /not kept/,
  },
  {
    bug: "second pool value staged early",
    step: (state, event, inputs) => {
      const to = step(state, event, inputs);
      const second = to.state.pool[0];
      if (state.phase !== "PROBE" || to.state.phase !== "STAGED" || second === undefined) return to;
      return { ...to, state: { ...to.state, next: second.ref, pushes: 0 } };
    },
    problem: /second value/,
  },
  {
    bug: "KeyChange recomputed on retry",
    step: (state, event, inputs) => step({ ...state, prepared: null }, event, inputs),
    problem: /made anew/,
  },
  {
    bug: "same new pushed without settle time",
    step: (state, event, inputs) => step(state, event, { ...inputs, settled: true }),
    world: { delta: true },
    problem: /lost/,
  },
  {
    bug: "candidates dropped where another account sets the password",
    step: after(({ state }) => (state.reconciling ? { ...forgetful(state), history: [] } : state)),
    world: { gives: true, reconciles: true, resets: true, prompt: true },
    problem: /lost/,
  },
  {
    bug: "window asked for at the start only",
    step: (state, event, inputs) =>
      step(state, event, state.phase === "STAGED" ? { ...inputs, windowOpen: true, onHold: false, permitted: true } : inputs),
    world: { closes: true, values: 1 },
    problem: /outside of the window/,
  },
  {
    bug: "adopted account rotated",
    step: (state, event, inputs) => step(state, event, { ...inputs, policy: "on-demand" }),
    world: { policy: "never" },
    problem: /adopted/,
  },
  {
    bug: "refused value pushed for ever",
    step: after(({ state }) => ({ ...state, rejected: [] })),
    world: { refuses: [1] },
    problem: /refused value/,
  },
];
