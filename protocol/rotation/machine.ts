import type { RotationCode } from "./codes.ts";
import type { Candidate, CandidateIndex, DeviceAction, HoldCause, RotationState } from "./state.ts";

/** What an adapter answers. AMBIGUOUS is the default for everything that is not proven. */
export type DeviceOutcome = "OK" | "REJECTED_AUTH" | "REJECTED_POLICY" | "NOT_SENT" | "AMBIGUOUS";

/** What a rotation begins by. */
export type StartCause = "order" | "interval";

export type RotationEvent =
  /** Something may have changed: go on where possible. */
  | { readonly kind: "tick" }
  /** The process started; whatever was pending has no answer. */
  | { readonly kind: "restart" }
  /** The store came back from a backup: what it says may be older than the truth. */
  | { readonly kind: "restored" }
  /** The vault issued a further value. */
  | { readonly kind: "issued"; readonly candidate: Candidate }
  /** A person set the value that is live; it is proven before it is believed. */
  | { readonly kind: "given"; readonly candidate: Candidate }
  | { readonly kind: "rotate"; readonly by: StartCause }
  /** Read-only: log in with the current value. Spends budget. */
  | { readonly kind: "verify" }
  /** Give up a value that was staged and not sent. */
  | { readonly kind: "cancel" }
  | AdapterAnswer
  /** The device's lockout window has passed since the last attempt. */
  | { readonly kind: "refill" }
  /** The vault acknowledged the report of this index. */
  | { readonly kind: "acknowledged"; readonly index: CandidateIndex }
  | { readonly kind: "hold"; readonly cause: HoldCause }
  /** An operator's release, after a snapshot that answers our nonce. */
  | { readonly kind: "release" }
  /** An operator asks to try all candidates again. */
  | { readonly kind: "retry" }
  /** No candidate works: another account of the device shall set this one's password. */
  | { readonly kind: "reconcile" };

/** The adapter's answer to the pending action on `ref`. */
export interface AdapterAnswer {
  readonly kind: "answer";
  readonly action: DeviceAction;
  readonly ref: number;
  readonly outcome: DeviceOutcome;
  /** True where a login that the device refused, or of which nothing is known, may have reached it. */
  readonly spent: boolean;
  /** True where the prepared request can never take effect any more. */
  readonly prepareAgain: boolean;
}

/** What the shell knows and the machine may not: time, policy and the other accounts. */
export interface RotationInputs {
  /** Attempts per window, from {@link attemptLimit}; 0 forbids everything automatic. */
  readonly attemptLimit: number;
  /** Attempts of this window that the other accounts have spent which lock out together with this one. */
  readonly spentElsewhere: number;
  readonly policy: "never" | "on-demand" | "interval";
  /** Inside a window with enough of it left to verify; true where the account needs none. */
  readonly windowOpen: boolean;
  /** The clock can judge the window; true for a windowless policy. */
  readonly clockFit: boolean;
  /** An operator's hold, the vault's or the segment's own. */
  readonly onHold: boolean;
  /** A person's permit runs, or none is asked for. */
  readonly permitted: boolean;
  /** The account is not the break-glass one of its device, nor is that one, together with another that changed or may have. */
  readonly breakGlassFree: boolean;
  /** The device forgets what it was not told to save. */
  readonly needsSave: boolean;
  /** No earlier push can land any more. */
  readonly settled: boolean;
  /** The back-off after the last failure is over. */
  readonly backedOff: boolean;
  readonly spaceReserved: boolean;
  readonly identityPinned: boolean;
  readonly consumersReady: boolean;
  /** It changes alone, or it is its turn in its group: every member is ready, or the first of them has changed already. */
  readonly groupReady: boolean;
  /** The vault knows every candidate of this edge; false after a restored vault until it has acknowledged the escrow. */
  readonly escrowed: boolean;
  /** No other account of this device is being rotated. */
  readonly deviceFree: boolean;
  /** Another account of this device may set this one's password, can do so, and is in order itself. */
  readonly reconcilable: boolean;
}

/** Leaf actions of the audit log, one for each arrow. */
export type RotationLeaf =
  | "rotation.staged"
  | "rotation.cancelled"
  | "rotation.preflight"
  | "rotation.sent"
  | "rotation.probe"
  | "rotation.save"
  | "rotation.reverify"
  | "rotation.verify"
  | "rotation.new-ok"
  | "rotation.saved"
  | "rotation.verified"
  | "rotation.proven"
  | "rotation.rejected"
  | "rotation.reverted"
  | "rotation.unknown"
  | "rotation.acknowledged"
  | "rotation.held"
  | "rotation.released"
  | "rotation.restored"
  | "rotation.retried"
  | "rotation.reconcile"
  | "rotation.given";

/** What the vault hears; goes to the outbox in the same transaction. */
export type ReportKind = "verified" | "proven" | "rejected" | "reverted" | "unknown";

/**
 * `leaf`, `report` and `alarm` belong into the transaction that stores the state. `device` runs only after that transaction is
 * durable. `wait` names what the machine waits for; `refuse` answers an event that was not carried out.
 */
export type RotationEffect =
  | { readonly kind: "leaf"; readonly action: RotationLeaf; readonly ref: number }
  | { readonly kind: "report"; readonly report: ReportKind; readonly ref: number; readonly code: RotationCode | null }
  | { readonly kind: "alarm"; readonly code: RotationCode; readonly ref: number }
  | DeviceEffect
  | { readonly kind: "wait"; readonly code: RotationCode }
  | { readonly kind: "refuse"; readonly code: RotationCode };

/** One exchange with the device: `ref` is the value at stake, `login` the one to authenticate with. */
export interface DeviceEffect {
  readonly kind: "device";
  readonly action: DeviceAction;
  readonly ref: number;
  readonly login: number;
  /** A verification proves something, and a save keeps the right value, only on a session of its own. */
  readonly session: "fresh" | "any";
  /** Who logs in: the account itself by `login`, or the one that reconciles it, whose value the shell knows. */
  readonly by: "account" | "reconciler";
}

export interface Transition {
  readonly state: RotationState;
  readonly effects: readonly RotationEffect[];
}
