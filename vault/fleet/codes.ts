import { TidegateError } from "../../protocol/base/index.ts";

export const FLEET_CODES = {
  /** No account fits what was asked for. */
  FLEET_EMPTY: { fault: "operator", retryable: false },
  /** Another fleet rotation runs. */
  FLEET_RUNNING: { fault: "operator", retryable: true },
  /** No such fleet rotation. */
  FLEET_NOT_FOUND: { fault: "operator", retryable: false },
  /** The fleet rotation is not in a state for this: only a stopped one is resumed, only a running one stopped. */
  FLEET_STATE: { fault: "operator", retryable: false },
  /** The gateway in question would get the new values too. */
  FLEET_STILL_SERVED: { fault: "operator", retryable: true },
  /** A canary did not come through. */
  FLEET_CANARY_FAILED: { fault: "operator", retryable: true },
  /** An account's password is not known any more. */
  FLEET_MEMBER_UNKNOWN: { fault: "operator", retryable: true },
  /** An operator stopped it. */
  FLEET_STOPPED: { fault: "operator", retryable: true },
  /** After several rotations the exposed gateway still holds the value in use. */
  FLEET_STILL_EXPOSED: { fault: "operator", retryable: true },
} as const;

export type FleetCode = keyof typeof FLEET_CODES;

/** A fleet rotation that is refused. */
export class FleetError extends TidegateError<FleetCode> {
  constructor(code: FleetCode, message: string, hint?: string) {
    super(FLEET_CODES, code, message, hint === undefined ? {} : { hint });
  }
}
