/** What a check found; `hint` says what to do about it, null where nothing is to be done. */
export interface Finding {
  readonly check: string;
  readonly state: "ok" | "warning" | "failure";
  readonly says: string;
  readonly hint: string | null;
}

/** Nothing to be done. */
export function good(check: string, says: string): Finding {
  return { check, state: "ok", says, hint: null };
}

/** It works, and may go wrong one day. */
export function warning(check: string, says: string, hint: string): Finding {
  return { check, state: "warning", says, hint };
}

/** It does not work, or does not protect. */
export function failure(check: string, says: string, hint: string): Finding {
  return { check, state: "failure", says, hint };
}
