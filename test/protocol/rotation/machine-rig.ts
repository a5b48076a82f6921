import {
  adopted,
  type DeviceOutcome,
  decodeRotation,
  encodeRotation,
  type RotationCode,
  type RotationEffect,
  type RotationEvent,
  type RotationInputs,
  type RotationState,
  step,
} from "../../../protocol/rotation/index.ts";
import { value } from "../../model/device-world.ts";

/** Nothing stands in the way. */
export const fit: RotationInputs = {
  attemptLimit: 3,
  spentElsewhere: 0,
  policy: "interval",
  windowOpen: true,
  clockFit: true,
  onHold: false,
  permitted: true,
  breakGlassFree: true,
  needsSave: true,
  settled: true,
  backedOff: true,
  spaceReserved: true,
  identityPinned: true,
  consumersReady: true,
  groupReady: true,
  escrowed: true,
  deviceFree: true,
  reconcilable: true,
};

/** A machine that remembers every effect, and checks at each step that its state survives encoding. */
export class MachineRig {
  state: RotationState = { ...adopted(value(0)), pool: [value(1), value(2)] };
  effects: RotationEffect[] = [];
  inputs: RotationInputs = fit;

  do(event: RotationEvent): this {
    const to = step(this.state, event, this.inputs);
    this.state = decodeRotation(encodeRotation(to.state));
    this.effects = [...to.effects];
    return this;
  }

  tick(): this {
    return this.do({ kind: "tick" });
  }

  /** Answers what is pending. */
  answer(outcome: DeviceOutcome, options: { spent?: boolean; prepareAgain?: boolean } = {}): this {
    const { pending } = this.state;
    if (pending === null) throw new Error("nothing is pending");
    const spent = options.spent ?? (outcome === "REJECTED_AUTH" || outcome === "AMBIGUOUS");
    return this.do({ kind: "answer", ...pending, outcome, spent, prepareAgain: options.prepareAgain ?? false });
  }

  /** Ticks and answers in turn; the tick in front is left out where something is pending already. */
  run(...outcomes: DeviceOutcome[]): this {
    for (const outcome of outcomes) {
      for (let at = 0; at < 3 && this.state.pending === null; at += 1) this.tick();
      this.answer(outcome);
    }
    return this;
  }

  rotate(): this {
    return this.do({ kind: "rotate", by: "order" });
  }

  /** The device action that the last step allowed, as `action ref`. */
  get action(): string | undefined {
    return this.effects.flatMap((effect) => (effect.kind === "device" ? [`${effect.action} ${effect.ref}`] : []))[0];
  }

  get codes(): RotationCode[] {
    return this.effects.flatMap((effect) =>
      effect.kind === "refuse" || effect.kind === "wait" || effect.kind === "alarm" ? [effect.code] : [],
    );
  }

  get reports(): string[] {
    return this.effects.flatMap((effect) => (effect.kind === "report" ? [`${effect.report} ${effect.ref}`] : []));
  }

  get candidates(): number[] {
    return this.state.candidates.map(({ ref }) => ref);
  }
}

/** Rotated up to the push of value 1, which was answered so. */
export const pushed = (outcome: DeviceOutcome) => new MachineRig().rotate().run("OK", outcome);
