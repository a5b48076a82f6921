import { type ErrorOptions, TcborError, TidegateError } from "../base/index.ts";

const refused = { fault: "peer", retryable: false } as const;
const later = { fault: "peer", retryable: true } as const;

/** Why a bundle or report is not well formed, not for us, or not what it says. */
export const BUNDLE_CODES = {
  /** A body is larger than allowed. */
  BUNDLE_TOO_LARGE: { fault: "caller", retryable: false },
  /** No bundle signer of the root, or no member, has the signing key. */
  BUNDLE_SIGNER_UNKNOWN: refused,
  /** The header names another signer than the one that signed. */
  BUNDLE_SIGNER_MISMATCH: refused,
  /** The signed header is not one. */
  BUNDLE_HEADER_SHAPE: refused,
  /** A suite or stream number of a later version. */
  BUNDLE_UNSUPPORTED: refused,
  BUNDLE_WRONG_RECIPIENT: refused,
  /** A bundle where a report is due, or the reverse. */
  BUNDLE_WRONG_DIRECTION: refused,
  BUNDLE_WRONG_VAULT: refused,
  /** Sealed to another sealing key than the recipient's. */
  BUNDLE_WRONG_KEY: refused,
  /** The sender holds a newer root document than we do, and it did not come along. */
  BUNDLE_ROOT_MISSING: later,
  /** The sender's root document of a version that we hold has another id. */
  BUNDLE_ROOT_FORK: refused,
  /** The vault epoch is above the one that the newest root document names. */
  BUNDLE_EPOCH_AHEAD: later,
  /** The body is not as long as the signed header says. */
  BUNDLE_BODY_LENGTH: refused,
  /** The body's hash is not the signed one. */
  BUNDLE_BODY_HASH: refused,
  /** The opened body is not one. */
  BUNDLE_BODY_SHAPE: refused,
  /** An entry is larger than allowed. */
  BUNDLE_ENTRY_TOO_LARGE: refused,
  /** The state would hold more entries than allowed. */
  BUNDLE_TOO_MANY_ENTRIES: refused,
  /** A delta was made for another state than the one held. */
  BUNDLE_BASE_MISMATCH: refused,
  /** What results is not the state that the sender meant. */
  BUNDLE_RESULT_MISMATCH: refused,
  /** A delta would put an older version over a newer one. */
  BUNDLE_ENTRY_OLDER: refused,
} as const;

/** Why an item does not fit the stream that it belongs to. */
export const STREAM_CODES = {
  /** Two different items bear one sequence number. */
  STREAM_FORK: refused,
  /** The item follows on another predecessor than the one applied. */
  STREAM_PREV_MISMATCH: refused,
  /** The vault epoch is below the one already seen. */
  STREAM_EPOCH_DOWN: refused,
  /** The item was issued under an older root document than its predecessors. */
  STREAM_ROOT_DOWN: refused,
  /** The node accepts nothing but a snapshot that answers its current nonce. */
  STREAM_NONCE_REQUIRED: refused,
  /** Too many items wait ahead of a gap; the node asks for a snapshot. */
  STREAM_HELD_FULL: later,
  /** Too many issued items wait for an acknowledgement; a snapshot must fold them first. */
  STREAM_OUTBOX_FULL: { fault: "environment", retryable: true },
  /** A stored stream state is not one. */
  STREAM_STATE_SHAPE: { fault: "environment", retryable: false },
} as const;

export type BundleCode = keyof typeof BUNDLE_CODES;
export type StreamCode = keyof typeof STREAM_CODES;

/** A bundle or report that is refused; nothing of it was applied. */
export class BundleError extends TidegateError<BundleCode> {
  constructor(code: BundleCode, message: string, options: ErrorOptions = {}) {
    super(BUNDLE_CODES, code, message, options);
  }
}

/** An item or a stored state that does not fit its stream. */
export class StreamError extends TidegateError<StreamCode> {
  constructor(code: StreamCode, message: string, options: ErrorOptions = {}) {
    super(STREAM_CODES, code, message, options);
  }
}

/** Runs `read`; whatever is wrong with the encoding becomes the one `code` of this place. */
export function readingAs<T>(code: BundleCode, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof TcborError) throw new BundleError(code, cause.message, { cause });
    throw cause;
  }
}
