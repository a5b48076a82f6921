import type { DeviceCode } from "./codes.ts";

/** What every outcome tells besides its kind. */
interface OutcomeFacts {
  readonly code: DeviceCode;
  /** Where it stopped and what the device said, for a log: words and numbers of ours, never a secret or a device's text. */
  readonly detail: string;
  /**
   * True where a login that the device refused, or of which nothing is known, may have reached it: one attempt of its lockout
   * threshold. A login that the device accepted, and a failure before any login left, say false.
   */
  readonly mayHaveSpentAttempt: boolean;
}

/** The device answered as the protocol promises for success. */
export interface OkOutcome extends OutcomeFacts {
  readonly kind: "OK";
  /** From `prepare`: what `push` needs, to be stored durably before it; null from the other operations. */
  readonly state: Uint8Array | null;
  /** Who the device proved or said to be, e.g. `snmp-engine:80001f88…`; null where its protocol has no such thing. */
  readonly identity: string | null;
}

/** Anything but success. */
export interface OtherOutcome extends OutcomeFacts {
  readonly kind: "REJECTED_AUTH" | "REJECTED_POLICY" | "NOT_SENT" | "AMBIGUOUS";
  /** True where the state that `prepare` gave can never take effect any more: prepare again instead of repeating it. */
  readonly prepareAgain: boolean;
}

/**
 * How an operation on a device ended.
 *
 * - OK: positive proof.
 * - REJECTED_AUTH: the device refused the secret that the operation logged in with; no change was sent in this call.
 * - REJECTED_POLICY: the device, or its model, refuses the new value; nothing changed.
 * - NOT_SENT: provably no byte of a change and no login of unknown fate left; nothing to probe for, no attempt of this account spent.
 * - AMBIGUOUS: everything else, and the default for every timeout, reset, end of stream or unexpected answer after
 *   sending. Never to be read as "failed".
 */
export type Outcome = OkOutcome | OtherOutcome;

/** An OK outcome; `mayHaveSpentAttempt` is false, as the device accepted the login. */
export function ok(
  facts: { code?: DeviceCode; detail?: string; state?: Uint8Array; identity?: string | null } = {},
): OkOutcome {
  return {
    kind: "OK",
    code: facts.code ?? "DEVICE_OK",
    detail: facts.detail ?? "",
    mayHaveSpentAttempt: false,
    state: facts.state ?? null,
    identity: facts.identity ?? null,
  };
}

/** A login refused; `spent: false` only where the device was asked without a login. */
export function rejectedAuth(code: DeviceCode, detail: string, options: { spent?: boolean } = {}): OtherOutcome {
  return { kind: "REJECTED_AUTH", code, detail, mayHaveSpentAttempt: options.spent ?? true, prepareAgain: false };
}

/** The new value refused by the device or by its model. */
export function rejectedPolicy(code: DeviceCode, detail: string): OtherOutcome {
  return { kind: "REJECTED_POLICY", code, detail, mayHaveSpentAttempt: false, prepareAgain: false };
}

/** Nothing left that could matter. */
export function notSent(code: DeviceCode, detail: string, options: { prepareAgain?: boolean } = {}): OtherOutcome {
  return { kind: "NOT_SENT", code, detail, mayHaveSpentAttempt: false, prepareAgain: options.prepareAgain ?? false };
}

/** Unknown fate. `spent` is true unless the device had accepted the login. */
export function ambiguous(
  code: DeviceCode,
  detail: string,
  options: { spent?: boolean; prepareAgain?: boolean } = {},
): OtherOutcome {
  return {
    kind: "AMBIGUOUS",
    code,
    detail,
    mayHaveSpentAttempt: options.spent ?? true,
    prepareAgain: options.prepareAgain ?? false,
  };
}
