import type { Varbind } from "net-snmp";
import { ambiguous, notSent, type OtherOutcome, rejectedAuth } from "../contract/index.ts";
import type { Exchange } from "./usm-session.ts";

/** RFC 3416's error-status inconsistentValue: what usmUserSpinLock answers once it has moved on. */
export const inconsistentValue = 12;

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

/** False only where the agent names an id that is not the one its messages carry; many hide the object from users. */
export function sameEngine(varbind: Varbind | undefined, engineId: Uint8Array): boolean {
  return !Buffer.isBuffer(varbind?.value) || Buffer.compare(varbind.value, engineId) === 0;
}

/** The login worked, the request did not: access control, or an agent without these objects. */
export function refused(at: string, status: number): OtherOutcome {
  return ambiguous("SNMP_REQUEST_REFUSED", `${at}: error-status ${status}`, { spent: false });
}
