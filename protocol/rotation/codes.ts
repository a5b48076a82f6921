import { TidegateError } from "../base/index.ts";

export const ROTATION_CODES = {
  /** The stored rotation state is not one that this machine writes. */
  ROTATION_STATE_MALFORMED: { fault: "peer", retryable: false },
  /** Policy says that this account is never rotated, or only on an operator's order. */
  ROTATION_NOT_ALLOWED: { fault: "operator", retryable: false },
  /** The device locks out after two or fewer wrong logins: nothing automatic is safe there. */
  ROTATION_LOCKOUT_TOO_LOW: { fault: "operator", retryable: false },
  /** Held after a clock, fork or sequence violation until a fresh snapshot and an operator release it. */
  ROTATION_HELD: { fault: "peer", retryable: false },
  /** An operator holds the device: nothing new starts. */
  ROTATION_ON_HOLD: { fault: "operator", retryable: true },
  /** The segment asks for a person's permit, and none runs. */
  ROTATION_PERMIT_NEEDED: { fault: "operator", retryable: true },
  /** The break-glass account and another one of its device would change in the same window. */
  ROTATION_BREAK_GLASS: { fault: "environment", retryable: true },
  /** An earlier rotation of this account is not finished. */
  ROTATION_BUSY: { fault: "environment", retryable: true },
  /** No candidate is known to work; an operator has to act first. */
  ROTATION_UNKNOWN: { fault: "environment", retryable: false },
  /** The vault has issued no further value to this edge yet. */
  ROTATION_POOL_EMPTY: { fault: "environment", retryable: true },
  /** More values came than an edge may hold unsent; the vault's ledger would not allow it. */
  ROTATION_POOL_FULL: { fault: "peer", retryable: false },
  /** The event does not apply in this state. */
  ROTATION_NOT_NOW: { fault: "operator", retryable: true },
  /** The device refused every value of the pool by its password policy. */
  ROTATION_POOL_REJECTED: { fault: "operator", retryable: false },
  /** The device's identity is not pinned, or it is another one than the pinned. */
  ROTATION_IDENTITY: { fault: "peer", retryable: false },
  /** The account that makes the changes on this device is not known to the edge, or its password was refused. */
  ROTATION_HELPER: { fault: "operator", retryable: false },
  /** No other account of the device may set this one's password, or that one is not in order itself. */
  ROTATION_NO_RECONCILER: { fault: "operator", retryable: false },
  /** The store has not the space that a whole rotation writes. */
  ROTATION_NO_SPACE: { fault: "environment", retryable: true },
  /** A remote consumer does not hold the next value yet. */
  ROTATION_CONSUMERS_BEHIND: { fault: "environment", retryable: true },
  /** The vault was restored, and has not acknowledged this edge's escrow report yet. */
  ROTATION_ESCROW_DUE: { fault: "environment", retryable: true },
  /** Another account of its group is not ready, or has its turn: they change together or not at all. */
  ROTATION_GROUP_NOT_READY: { fault: "environment", retryable: true },
  /** The clock is not certain enough to judge the window. */
  ROTATION_CLOCK: { fault: "environment", retryable: true },
  /** Outside the maintenance window, or too close to its end to finish. */
  ROTATION_WINDOW_CLOSED: { fault: "environment", retryable: true },
  /** Another account of the same device is being rotated. */
  ROTATION_DEVICE_BUSY: { fault: "environment", retryable: true },
  /** The attempt budget of this window is spent. */
  ROTATION_BUDGET_SPENT: { fault: "environment", retryable: true },
  /** Waiting after a failure. */
  ROTATION_BACK_OFF: { fault: "environment", retryable: true },
  /** Waiting until an earlier change can no longer land late. */
  ROTATION_UNSETTLED: { fault: "environment", retryable: true },
  /** Alarm: an older password is live again. */
  ROTATION_REVERTED: { fault: "environment", retryable: false },
  /** Alarm: many pushes of one value brought no answer. */
  ROTATION_NO_ANSWER: { fault: "environment", retryable: true },
  /** Alarm: the window closed before a rotation was finished; it is finished all the same. */
  ROTATION_PAST_WINDOW: { fault: "environment", retryable: false },
  /** The device refuses to store the new password permanently. */
  ROTATION_SAVE_REFUSED: { fault: "operator", retryable: true },
} as const;

/** A rotation error or alarm. */
export type RotationCode = keyof typeof ROTATION_CODES;

export class RotationError extends TidegateError<RotationCode> {
  constructor(code: RotationCode, message: string) {
    super(ROTATION_CODES, code, message);
  }
}
