import {
  adopted,
  attemptLimit,
  type Candidate,
  type DeviceEffect,
  type DeviceOutcome,
  encodeRotation,
  type RotationEffect,
  type RotationEvent,
  type RotationInputs,
  type RotationState,
  step,
  type Transition,
} from "../../protocol/rotation/index.ts";

/** The real step function, or a broken one that the exploration must catch. */
export type Step = (state: RotationState, event: RotationEvent, inputs: RotationInputs) => Transition;

export interface Options {
  readonly step?: Step;
  readonly threshold?: number;
  /** A change that depends on the old value: applied twice, or over another value, nobody knows the result. */
  readonly delta?: boolean;
  /** Refs that the device's password policy refuses. */
  readonly refuses?: readonly number[];
  /** Refs that cannot even be written for this device: the adapter refuses to prepare them. */
  readonly unfit?: readonly number[];
  /** The device may refuse to store what it was changed to. */
  readonly keepsNot?: boolean;
  readonly policy?: RotationInputs["policy"];
  /** The device may answer a change with a refusal and carry it out all the same. */
  readonly lies?: boolean;
  /** The device may once come back with the first value, as from a configuration backup. */
  readonly resets?: boolean;
  /** The edge's store may once come back from a backup made at the start. */
  readonly restores?: boolean;
  /** A person may once change the device, and may at any time tell the edge so, or be wrong about it. */
  readonly gives?: boolean;
  /** The vault may at any time have the account held. */
  readonly holds?: boolean;
  /** A vault is explored beside it: what the vault says comes from there, and the pool begins empty. */
  readonly beside?: boolean;
  /** Changes apply at once or never: what lands late is explored without a vault. */
  readonly prompt?: boolean;
  /** A window that opens and closes, a hold or a permit that comes and goes: at any time nothing new may be sent. */
  readonly closes?: boolean;
  /** Another account of the device may set the password. */
  readonly reconciles?: boolean;
  /** Values in the pool, 1 or 2; one keeps a world with many faults small enough to visit whole. */
  readonly values?: 1 | 2;
  readonly maxStates?: number;
}

/** Everything that the next move depends on. */
export interface World {
  readonly edge: RotationState;
  /** Allowed by the last transaction and not answered; lost by a crash. */
  readonly inFlight: DeviceEffect | null;
  readonly live: number;
  readonly saved: number;
  /** A push that lands later, with the value that it was made over. */
  readonly late: { readonly ref: number; readonly base: number } | null;
  readonly failures: number;
  readonly typo: boolean;
  readonly settled: boolean;
  /** The value that the device last refused to the edge's face. */
  readonly refused: number | null;
  readonly reset: boolean;
  readonly restored: boolean;
  /** A person has changed the device. */
  readonly changed: boolean;
  /** Nothing new may be sent now. */
  readonly closed: boolean;
  /** The vault knows every candidate. */
  readonly escrowed: boolean;
}

/** What a person sets; the vault knows it before anybody else. */
const given = 9;

/** A value that nobody holds: the device is lost. */
const ruined = 99;

export interface Move {
  readonly name: string;
  readonly to: World;
  readonly problem?: string | undefined;
  /** What the step told the vault. */
  readonly reports?: readonly RotationReport[];
}

/** A report of the machine, which goes out with the transaction of its step. */
export type RotationReport = Extract<RotationEffect, { kind: "report" }>;

/** A value as the vault numbers it: the first epoch, ref and number alike. */
export function value(ref: number): Candidate {
  return { ref, index: [1, ref] };
}

/** Equal for equal worlds. */
export function keyOf(world: World): string {
  const { inFlight, late } = world;
  const flight = inFlight === null ? "-" : `${inFlight.action}${inFlight.ref}.${inFlight.login}${inFlight.session}`;
  const rest = [
    flight,
    world.live,
    world.saved,
    late === null ? "-" : `${late.ref}.${late.base}`,
    world.failures,
    +world.typo,
    +world.settled,
    world.refused ?? -1,
    +world.reset,
    +world.restored,
    +world.changed,
    +world.closed,
    +world.escrowed,
  ];
  return `${Buffer.from(encodeRotation(world.edge)).toString("latin1")}|${rest.join(",")}`;
}

/** What can happen next, and what must hold: the real machine against a device, a network and people. */
export class DeviceWorld {
  readonly #step: Step;
  readonly #threshold: number;
  readonly #options: Options;
  /** Phase and event of every step that was taken, as `PHASE event`. */
  readonly taken = new Set<string>();

  constructor(options: Options) {
    this.#step = options.step ?? step;
    this.#threshold = options.threshold ?? 3;
    this.#options = options;
  }

  start(): World {
    const values = this.#options.values === 1 ? [value(1)] : [value(1), value(2)];
    const edge = { ...adopted(value(0)), pool: this.#options.beside === true ? [] : values };
    return {
      edge,
      inFlight: null,
      live: 0,
      saved: 0,
      late: null,
      failures: 0,
      typo: false,
      settled: true,
      refused: null,
      reset: false,
      restored: false,
      changed: false,
      closed: false,
      escrowed: true,
    };
  }

  /** What must hold everywhere. */
  judge(world: World): string | undefined {
    const { edge, live } = world;
    const held = [...edge.candidates, ...edge.history];
    if (world.failures >= this.#threshold) return "locked out";
    // Until the person's word has come only the vault knows it.
    if (live === given && !held.some(({ ref }) => ref === given)) return undefined;
    if (!held.some(({ ref }) => ref === live)) return "lost: the live password is no candidate";
    // Whoever changes a device in the middle of a probe has to ask for another one.
    const rests = (edge.phase === "IDLE" || edge.phase === "VERIFIED") && edge.pending === null;
    if (rests && edge.current === live && live !== world.saved) return "rests on a value that the device has not kept";
    if (edge.phase === "UNKNOWN" && !world.changed) return "unknown although a candidate is live";
    return undefined;
  }

  moves(world: World): Move[] {
    const moves: Move[] = [];
    const event = (name: string, kind: RotationEvent, from: World = world) => moves.push(this.apply(from, name, kind));
    if (world.inFlight === null) event("tick", { kind: "tick" });
    else this.#exchange(world, world.inFlight, moves);
    event("rotate", { kind: "rotate", by: "order" });
    if (this.#options.beside !== true) this.#vaultsWord(world, event);
    if (world.edge.phase === "STAGED") event("cancel", { kind: "cancel" });
    if (world.edge.hold !== null) event("release", { kind: "release" });
    if (world.edge.phase === "UNKNOWN") event("retry", { kind: "retry" });
    if (this.#options.reconciles === true) event("reconcile", { kind: "reconcile" });
    if (this.#options.gives === true) event("given", { kind: "given", candidate: value(given) });
    if (this.#options.holds === true && world.edge.hold === null) event("hold", { kind: "hold", cause: "sequence" });
    event("crash", { kind: "restart" }, { ...world, inFlight: null });
    event("window", { kind: "refill" }, { ...world, failures: 0, typo: false });
    this.#environment(world, moves);
    return moves;
  }

  /** What comes from the vault, or by its order, where none is explored beside. */
  #vaultsWord(world: World, event: (name: string, kind: RotationEvent) => void): void {
    event("verify", { kind: "verify" });
    if (world.edge.unacknowledged !== null) event("ack", { kind: "acknowledged", index: world.edge.unacknowledged });
    for (const { ref } of this.start().edge.pool) event("issued again", { kind: "issued", candidate: value(ref) });
  }

  #environment(world: World, moves: Move[]): void {
    if (!world.typo) moves.push({ name: "typo", to: { ...world, typo: true, failures: world.failures + 1 } });
    if (world.live !== world.saved) moves.push({ name: "reboot", to: { ...world, live: world.saved } });
    if (this.#options.closes === true)
      moves.push({ name: world.closed ? "window opens" : "window closes", to: { ...world, closed: !world.closed } });
    if (world.late !== null) moves.push({ name: "late apply", to: this.#land(world) });
    if (!world.settled && world.inFlight === null) moves.push({ name: "settle", to: { ...this.#land(world), settled: true } });
    if (this.#options.resets === true && !world.reset)
      moves.push({ name: "device reset", to: { ...world, live: 0, saved: 0, late: null, reset: true } });
    if (this.#options.gives === true && !world.changed)
      moves.push({ name: "person changes the device", to: { ...world, live: given, saved: given, late: null, changed: true } });
    if (this.#options.restores === true && !world.restored) {
      const old: World = { ...world, edge: this.start().edge, inFlight: null, restored: true };
      moves.push(this.apply(old, "store restored", { kind: "restored" }));
    }
  }

  #land(world: World): World {
    if (world.late === null) return world;
    const { ref, base } = world.late;
    const live = this.#options.delta === true && world.live !== base ? ruined : ref;
    return { ...world, late: null, live };
  }

  /** Each way in which one exchange can go, as the device sees it and as the edge is told. */
  #exchange(world: World, effect: DeviceEffect, moves: Move[]): void {
    const answer = (how: string, after: World, outcome: DeviceOutcome) =>
      moves.push(
        this.apply({ ...after, inFlight: null }, `${effect.action} ${effect.ref} ${how}: ${outcome}`, {
          kind: "answer",
          action: effect.action,
          ref: effect.ref,
          outcome,
          spent: outcome !== "OK" && outcome !== "NOT_SENT" && outcome !== "REJECTED_POLICY",
          prepareAgain: false,
        }),
      );
    answer("unreachable", world, "NOT_SENT");
    answer("lost", world, "AMBIGUOUS");
    if (effect.by === "reconciler") answer("reconciler refused", world, "REJECTED_AUTH");
    const { after, outcome } = this.#arrive(world, effect);
    answer("arrives", outcome === "REJECTED_POLICY" ? { ...after, refused: effect.ref } : after, outcome);
    if (this.#options.lies === true && effect.action === "push" && outcome === "OK") {
      answer("arrives, denied", { ...after, refused: effect.ref }, "REJECTED_POLICY");
    }
    if (effect.action === "save" && outcome === "OK" && this.#options.keepsNot === true) {
      answer("arrives, not kept", { ...after, saved: world.saved }, "REJECTED_POLICY");
    }
    answer("reply lost", after, "AMBIGUOUS");
    moves.push(this.apply({ ...after, inFlight: null }, `${effect.action} ${effect.ref} arrives, crash`, { kind: "restart" }));
    if (effect.action !== "push" || outcome !== "OK" || this.#options.prompt === true) return;
    const late = { ref: effect.ref, base: effect.login };
    const queued: World = { ...world, late, settled: false };
    answer("queued", queued, "AMBIGUOUS");
    if (this.#options.delta !== true) {
      answer("queued", queued, "OK");
      answer("twice", { ...after, late }, "AMBIGUOUS");
    }
    moves.push(this.apply({ ...queued, inFlight: null }, `push ${effect.ref} queued, crash`, { kind: "restart" }));
  }

  #arrive(world: World, effect: DeviceEffect): { after: World; outcome: DeviceOutcome } {
    const touched: World = effect.action === "push" ? { ...world, settled: false } : world;
    // On the session of the push the device asks for no login: what it says there proves nothing about the next one.
    if (effect.session === "any" && effect.action === "verify") return { after: touched, outcome: "OK" };
    if (effect.session === "any" && effect.action === "save")
      return { after: { ...touched, saved: world.live }, outcome: "OK" };
    if (effect.by === "reconciler") return this.#arriveByOther(touched, effect);
    if (effect.login !== world.live) return { after: { ...touched, failures: world.failures + 1 }, outcome: "REJECTED_AUTH" };
    if (effect.action === "save") return { after: { ...touched, saved: world.live }, outcome: "OK" };
    if (effect.action === "prepare" && this.#options.unfit?.includes(effect.ref) === true)
      return { after: touched, outcome: "REJECTED_POLICY" };
    if (effect.action !== "push") return { after: touched, outcome: "OK" };
    if (this.#options.refuses?.includes(effect.ref) === true) return { after: touched, outcome: "REJECTED_POLICY" };
    return { after: { ...touched, live: effect.ref }, outcome: "OK" };
  }

  /** Another account of the device logs in: what this one's password is does not matter. */
  #arriveByOther(world: World, { action, ref }: DeviceEffect): { after: World; outcome: DeviceOutcome } {
    if (action !== "push") return { after: world, outcome: "OK" };
    if (this.#options.refuses?.includes(ref) === true) return { after: world, outcome: "REJECTED_POLICY" };
    return { after: { ...world, live: ref }, outcome: "OK" };
  }

  /** One step: the state and everything of its transaction becomes durable, then the exchange may run. */
  apply(world: World, name: string, event: RotationEvent): Move {
    this.taken.add(`${world.edge.phase} ${event.kind === "answer" ? event.outcome : event.kind}`);
    const { state, effects } = this.#step(world.edge, event, this.#inputs(world));
    let to: World = { ...world, edge: state };
    let problem: string | undefined;
    for (const effect of effects) {
      if (effect.kind === "report" && effect.report === "verified") {
        if (world.saved !== effect.ref && !world.reset) problem = "reported verified although the device has not kept it";
      }
      if (effect.kind !== "device") continue;
      if (to.inFlight !== null) problem = "two exchanges at once";
      to = { ...to, inFlight: effect };
      problem ??= this.#forbidden(world, state, effect);
    }
    return { name, to, problem, reports: effects.filter((effect) => effect.kind === "report") };
  }

  /** Exchanges that must never be allowed, whatever comes of them. */
  #forbidden(world: World, state: RotationState, { action, ref }: DeviceEffect): string | undefined {
    if (state.spent === 0) return "an attempt that was not debited";
    const sent = world.edge.next === ref && world.edge.pushes > 0 && !world.reset && !world.restored;
    if (action === "prepare" && sent) return "a sent request was made anew";
    if (action === "save" && this.#options.policy === "never") return "an adopted account was written to";
    if (action !== "push") return undefined;
    if (this.#options.policy === "never") return "an adopted account was rotated";
    if (state.hold !== null) return "a held account was rotated";
    if (world.closed) return "a push outside of the window";
    // After a reset or a restore the edge cannot know any more which value was proven once.
    if (world.reset || world.restored) return undefined;
    if (world.refused === ref) return "a refused value was pushed again";
    const open = state.candidates.filter(
      (each) => ![ref, given].includes(each.ref) && each.ref > state.current && !state.rejected.includes(each.ref),
    );
    return open.length > 0 ? "a second value was sent while the first is open" : undefined;
  }

  #inputs(world: World): RotationInputs {
    return {
      attemptLimit: attemptLimit(this.#threshold),
      spentElsewhere: 0,
      policy: this.#options.policy ?? "on-demand",
      windowOpen: !world.closed,
      clockFit: true,
      onHold: world.closed,
      permitted: !world.closed,
      breakGlassFree: true,
      needsSave: true,
      settled: world.settled,
      backedOff: true,
      spaceReserved: true,
      identityPinned: true,
      consumersReady: true,
      groupReady: true,
      escrowed: world.escrowed,
      deviceFree: true,
      reconcilable: this.#options.reconciles === true,
    };
  }
}
