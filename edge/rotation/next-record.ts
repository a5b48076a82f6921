import type { Transaction } from "../../agent/store/index.ts";
import type { Fact } from "../../protocol/bundle/index.ts";
import type { RotationEffect, RotationEvent, RotationState } from "../../protocol/rotation/index.ts";
import type { OpenOrder } from "./account.ts";
import type { Moment } from "./moment.ts";
import { recheckAtAfter } from "./recheck.ts";
import { type AccountRecord, type StoredValue, servedRef } from "./record.ts";

/** What goes into the transaction of an arrow beside the machine's own effects. */
export interface Beside {
  readonly request?: Uint8Array | null;
  readonly order?: OpenOrder | null;
  readonly value?: { readonly ref: number; readonly stored: StoredValue };
  readonly write?: (tx: Transaction) => readonly Fact[];
}

/** One arrow, seen from the record. */
interface Step {
  readonly state: RotationState;
  readonly event: RotationEvent;
  readonly effects: readonly RotationEffect[];
  readonly beside: Beside;
  readonly now: Moment;
  /** Lower bound of the time, seconds since 1970. */
  readonly nowS: number;
}

/** What an account's record becomes with a step of its machine: the moments, the request and the order that go with it. */
export function nextRecord(before: AccountRecord, { state, event, effects, beside, now, nowS }: Step): AccountRecord {
  const exchange = effects.find((effect) => effect.kind === "device");
  const pushes = exchange?.action === "push";
  const answersPush = event.kind === "answer" && event.action === "push";
  // From when on the device may have seen it: an exchange may have waited for others, and one that died may have gone on until now.
  const died = event.kind === "restart" ? before.state.pending : null;
  const attempted = exchange !== undefined || died !== null || (event.kind === "answer" && event.spent);
  const served = servedRef(state) !== servedRef(before.state);
  const made = pushes ? (beside.request ?? before.request ?? new Uint8Array(0)) : before.request;
  return {
    state,
    nextRef: beside.value === undefined ? before.nextRef : Math.max(before.nextRef, beside.value.ref + 1),
    request: state.prepared === null ? null : made,
    lastAttempt: attempted ? now : before.lastAttempt,
    lastPush: pushes || answersPush || died?.action === "push" ? now : before.lastPush,
    currentSinceS: served ? nowS : before.currentSinceS,
    rotated: served ? event.kind !== "given" : before.rotated,
    // A value that a person gave ends what was under way: the order is begun anew after it.
    orderId: event.kind === "given" ? null : (beside.order?.id ?? before.orderId),
    says: before.says,
    recheckAtS: recheckAtAfter(before.recheckAtS, { event, effects, served, nowS }),
  };
}
