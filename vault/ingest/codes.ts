import { TidegateError } from "../../protocol/base/index.ts";

export const INGEST_CODES = {
  /** Alarm: the node shows counters, a stream or an audit log that only a copy of it can show. */
  INGEST_CLONE: { fault: "peer", retryable: false },
  /** Alarm: the node's audit log lost or changed leaves that it had shown before. */
  INGEST_LOG_FORK: { fault: "peer", retryable: false },
  /** Alarm: the node holds bundles that this vault never issued: the vault's store went back. */
  INGEST_STORE_BEHIND: { fault: "environment", retryable: false },
  /** Alarm: no login has proven an account's current value for a day; its edge, device or password may be another than believed. */
  INGEST_UNPROVEN: { fault: "operator", retryable: true },
  /** An item in the vault's mailbox that is neither a report of a node nor a join request through a gateway. */
  INGEST_UNEXPECTED: { fault: "peer", retryable: false },
} as const;

export class IngestError extends TidegateError<keyof typeof INGEST_CODES> {
  constructor(code: keyof typeof INGEST_CODES, message: string) {
    super(INGEST_CODES, code, message);
  }
}
