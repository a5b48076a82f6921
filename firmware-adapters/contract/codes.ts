/** What a code says about itself; the same shape as every other table of codes in the project. */
interface CodeFacts {
  readonly fault: "peer" | "operator" | "caller" | "environment";
  readonly retryable: boolean;
}

/** Every code that an outcome of a device operation may carry; `DEVICE_OK` is the only one that goes with OK. */
export const DEVICE_CODES = {
  /** The operation did what it says, proven by the device's own answer. */
  DEVICE_OK: { fault: "peer", retryable: false },
  /** The change was found applied already: the device shows this change's own marker. Goes with OK too. */
  DEVICE_ALREADY_APPLIED: { fault: "peer", retryable: false },
  /** The model offers no save, or the push has saved already: nothing was sent. Goes with OK too. */
  DEVICE_SAVE_NOT_NEEDED: { fault: "peer", retryable: false },
  DEVICE_IDENTITY_CHANGED: { fault: "peer", retryable: false },
  DEVICE_SECRET_REFUSED: { fault: "peer", retryable: false },
  DEVICE_VALUE_REFUSED: { fault: "peer", retryable: false },
  DEVICE_VALUE_UNFIT: { fault: "operator", retryable: false },
  DEVICE_SETTINGS_INVALID: { fault: "operator", retryable: false },
  DEVICE_UNREACHABLE: { fault: "environment", retryable: true },
  DEVICE_NO_ANSWER: { fault: "environment", retryable: true },
  DEVICE_REPLY_LOST: { fault: "environment", retryable: true },
  DEVICE_ANSWER_UNEXPECTED: { fault: "peer", retryable: true },
  DEVICE_BUSY: { fault: "peer", retryable: true },
  DEVICE_STATE_MALFORMED: { fault: "peer", retryable: false },
  ADAPTER_UNKNOWN: { fault: "operator", retryable: false },
  ADAPTER_QUEUE_FULL: { fault: "environment", retryable: true },
  ADAPTER_HOST_CLOSED: { fault: "environment", retryable: true },
  ADAPTER_TIMED_OUT: { fault: "environment", retryable: true },
  ADAPTER_DIED: { fault: "environment", retryable: true },
  ADAPTER_THREW: { fault: "environment", retryable: true },
  SNMP_SPIN_LOCK_MOVED: { fault: "peer", retryable: true },
  SNMP_USER_UNKNOWN: { fault: "peer", retryable: false },
  SNMP_REQUEST_REFUSED: { fault: "peer", retryable: false },
  SNMP_HELPER_MISSING: { fault: "operator", retryable: false },
  SNMP_HELPER_REFUSED: { fault: "operator", retryable: false },
  MODBUS_EXCEPTION: { fault: "peer", retryable: true },
  SSH_ALGORITHMS_DIFFER: { fault: "operator", retryable: false },
  SSH_NO_PASSWORD_LOGIN: { fault: "operator", retryable: false },
  SSH_PASSWORD_EXPIRED: { fault: "operator", retryable: false },
  SSH_HELPER_MISSING: { fault: "operator", retryable: false },
  SSH_HELPER_REFUSED: { fault: "operator", retryable: false },
  SSH_HELPER_FAILED: { fault: "operator", retryable: true },
} as const satisfies Readonly<Record<string, CodeFacts>>;

export type DeviceCode = keyof typeof DEVICE_CODES;
