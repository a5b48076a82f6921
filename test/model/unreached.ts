/** Why a pair of phase and event that no world reaches cannot be reached, by class; a pair without a reason is a gap of the model. */
const classes: readonly { readonly pairs: RegExp; readonly reason: string }[] = [
  { pairs: /^(?!STAGED ).* cancel$/, reason: "only what is staged can be given up; the edge refuses the wish elsewhere" },
  { pairs: /^(?!UNKNOWN ).* retry$/, reason: "an operator's retry is for UNKNOWN; the edge refuses it elsewhere" },
  { pairs: /^(IDLE|UNKNOWN) acknowledged$/, reason: "nothing waits for an acknowledgement there" },
  { pairs: /^SENT tick$/, reason: "in SENT the push is always under way; its answer or a restart ends the phase" },
  {
    pairs: /^(?!IDLE ).* restored$/,
    reason: "a store is put back as it was backed up, and the backup is of an account at rest",
  },
  {
    pairs: /^(IDLE|PROBE|SAVED|VERIFIED) REJECTED_POLICY$/,
    reason: "nothing but logins leaves there, and a password policy judges changes",
  },
  { pairs: /^UNKNOWN (OK|REJECTED_AUTH|REJECTED_POLICY|NOT_SENT|AMBIGUOUS)$/, reason: "nothing is under way in UNKNOWN" },
  { pairs: /^(?!UNKNOWN ).* reconcile$/, reason: "another account sets a password only in UNKNOWN" },
];

/** Null where nobody has given one. */
export function unreachedReason(pair: string): string | null {
  return classes.find(({ pairs }) => pairs.test(pair))?.reason ?? null;
}
