import { ambiguous, notSent, type OtherOutcome, rejectedAuth } from "../contract/index.ts";
import type { Exchange } from "./usm-session.ts";

/** Counters of usmStats that a Report may name (RFC 3414 section 5). */
const counter = { unsupportedSecLevels: 1, unknownUserNames: 3, wrongDigests: 5, decryptionErrors: 6 } as const;

/** The outcome of a login that did not end in an authenticated answer. `at` says during what. */
export function loginOutcome(ended: Exclude<Exchange, { kind: "answer" | "status" }>, at: string): OtherOutcome {
  switch (ended.kind) {
    case "identity":
      return notSent("DEVICE_IDENTITY_CHANGED", `${at}: engine ${Buffer.from(ended.engineId).toString("hex")} answered`);
    case "unreachable":
      return notSent("DEVICE_UNREACHABLE", `${at}: nothing listens there`);
    case "silence":
      if (!ended.loginSent) return notSent("DEVICE_UNREACHABLE", `${at}: no answer to the discovery`);
      // A wrong privacy key ends like this too: agents drop what they cannot decrypt without a word.
      return ambiguous("DEVICE_NO_ANSWER", `${at}: no answer to the login`);
    case "report":
      return reportOutcome(ended.counter, at);
  }
}

function reportOutcome(named: number, at: string): OtherOutcome {
  switch (named) {
    case counter.wrongDigests:
      return rejectedAuth("DEVICE_SECRET_REFUSED", `${at}: wrong digest`);
    case counter.decryptionErrors:
      return rejectedAuth("DEVICE_SECRET_REFUSED", `${at}: decryption error`);
    case counter.unknownUserNames:
      return rejectedAuth("SNMP_USER_UNKNOWN", `${at}: unknown user name`);
    case counter.unsupportedSecLevels:
      return ambiguous("SNMP_REQUEST_REFUSED", `${at}: security level not supported`);
    default:
      return ambiguous("DEVICE_ANSWER_UNEXPECTED", `${at}: report of usmStats ${named}`);
  }
}
