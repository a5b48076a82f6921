import { ambiguous, notSent, type OtherOutcome, rejectedAuth } from "../contract/index.ts";
import type { LoginFailure } from "./login-failure.ts";

/** The outcome of a login that did not come about. Only the device's own refusal of the secret says that it is wrong. */
export function loginOutcome({ kind }: LoginFailure, at: string): OtherOutcome {
  switch (kind) {
    case "unreachable":
      return notSent("DEVICE_UNREACHABLE", `${at}: no connection`);
    case "silent":
      return notSent("DEVICE_UNREACHABLE", `${at}: no answer before the login`);
    case "dropped":
      return notSent("DEVICE_BUSY", `${at}: the device ended the connection before the login`);
    case "identity":
      return notSent("DEVICE_IDENTITY_CHANGED", `${at}: another host key`);
    case "algorithms":
      return notSent("SSH_ALGORITHMS_DIFFER", `${at}: no algorithm in common`);
    case "no method":
      return notSent("SSH_NO_PASSWORD_LOGIN", `${at}: neither password nor keyboard-interactive`);
    case "free entry":
      return notSent("SSH_NO_PASSWORD_LOGIN", `${at}: the device lets this user in without a password`);
    case "odd prompt":
      return notSent("SSH_NO_PASSWORD_LOGIN", `${at}: the device asks for something else than one password`);
    case "refused":
      return rejectedAuth("DEVICE_SECRET_REFUSED", `${at}: the password was refused`);
    case "partial":
      return ambiguous("SSH_NO_PASSWORD_LOGIN", `${at}: the device wants a second factor`, { spent: false });
    case "expired":
      return ambiguous("SSH_PASSWORD_EXPIRED", `${at}: the device wants the password changed first`);
    case "no answer":
      return ambiguous("DEVICE_NO_ANSWER", `${at}: no answer to the login`);
  }
}
