import type { SnmpModel } from "../models/index.ts";

/** The requests of a key change by RFC 3414. */
export function snmpOutline({ parameters }: Pick<SnmpModel, "parameters">): string[] {
  const { save } = parameters;
  const login = "GET snmpEngineID and usmUserSpinLock with the";
  return [
    `${login} current keys`,
    "SET usmUserSpinLock, usmUserOwnAuthKeyChange and usmUserOwnPrivKeyChange from the current to the new keys, and a marker in usmUserPublic, as one request",
    `${login} new keys, on a session of its own`,
    save === null ? "no save: the model offers none" : `SET ${save.oid} to ${save.value}, which has the agent save its users`,
    `${login} new keys once more`,
  ];
}
