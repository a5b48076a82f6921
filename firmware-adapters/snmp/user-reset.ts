import { ObjectType } from "net-snmp";
import { ambiguous, notSent, type OtherOutcome, type Outcome, ok } from "../contract/index.ts";
import { inconsistentValue, loginOutcome } from "./exchange-outcome.ts";
import { fixedChange, newSecrets } from "./key-change-request.ts";
import { encodeKeyChangeState, type KeyChangeState } from "./key-change-state.ts";
import { usmUserObject, usmUserSpinLock } from "./oids.ts";
import { identityOf, type UsmJob, type UsmLogin, withSession } from "./usm-job.ts";
import type { Exchange, UsmSession } from "./usm-session.ts";

/** RowStatus. */
const rowStatus = { createAndGo: 4, destroy: 6 } as const;

/**
 * Fixes how another user of the agent makes the account's row anew: KeyChange needs the old key, so the row is destroyed and comes again
 * as a clone of that user's, whose keys are known. Proves that user's login; of the account itself nothing can be proven.
 */
export async function prepareReset(read: UsmJob): Promise<Outcome> {
  const login = resetter(read);
  if (login === null) return notSent("SNMP_HELPER_MISSING", "no user that may make the account anew");
  const checked = newSecrets(read);
  if ("problem" in checked) return checked.problem;
  const { next } = checked;
  return withSession(read, login, read.engineId, async (session) => {
    const state = await fixedChange(read, session, { base: login.secret, next, clonedFrom: login.username });
    if ("kind" in state) return asHelpers(state);
    return ok({ state: encodeKeyChangeState(state), identity: identityOf(state.engineId) });
  });
}

/**
 * Two requests, each under the spin lock: the row goes, and comes again with its new keys at once. Where only the first arrived the account
 * is gone until the next try, which prepares anew; the row's marker tells whether both did.
 */
export function pushReset(read: UsmJob, state: KeyChangeState): Promise<Outcome> {
  const login = resetter(read);
  if (login === null || login.username !== state.clonedFrom) {
    return Promise.resolve(
      notSent("SNMP_HELPER_MISSING", "the user that the change was prepared for is not known", { prepareAgain: true }),
    );
  }
  return withSession(read, login, state.engineId, (session) => reset(session, state, read.job.username));
}

async function reset(session: UsmSession, state: KeyChangeState, username: string): Promise<Outcome> {
  const { engineId, spinLock } = state;
  const object = (column: Parameters<typeof usmUserObject>[0], of = username) => usmUserObject(column, engineId, of);
  const look = await session.get([usmUserSpinLock, object("public")]);
  if (look.kind !== "answer" && look.kind !== "status") return asHelpers(loginOutcome(look, "push"));
  if (look.kind === "status") return notSent("SNMP_REQUEST_REFUSED", `push: error-status ${look.status}`);
  const [lock, marker] = look.varbinds.map(({ value }) => value);
  if (lock !== spinLock) {
    if (Buffer.isBuffer(marker) && Buffer.compare(marker, state.marker) === 0)
      return ok({ code: "DEVICE_ALREADY_APPLIED", detail: "push: the marker is there", identity: identityOf(engineId) });
    return notSent("SNMP_SPIN_LOCK_MOVED", "push: another change came between", { prepareAgain: true });
  }
  const integer = (oid: string, value: number) => ({ oid, type: ObjectType.Integer, value });
  const octets = (oid: string, value: Uint8Array) => ({ oid, type: ObjectType.OctetString, value: Buffer.from(value) });
  const gone = await session.set([integer(usmUserSpinLock, spinLock), integer(object("status"), rowStatus.destroy)]);
  if (gone.kind !== "answer") return unfinished("destroy", gone);
  const made = await session.set([
    integer(usmUserSpinLock, nextLock(spinLock)),
    integer(object("status"), rowStatus.createAndGo),
    { oid: object("cloneFrom"), type: ObjectType.OID, value: object("securityName", state.clonedFrom ?? "") },
    octets(object("authKeyChange"), state.auth),
    octets(object("privKeyChange"), state.priv),
    octets(object("public"), state.marker),
  ]);
  return made.kind === "answer" ? ok({ identity: identityOf(engineId) }) : unfinished("create", made);
}

/** TestAndIncr wraps around at its largest value. */
function nextLock(spinLock: number): number {
  return spinLock === 0x7fffffff ? 0 : spinLock + 1;
}

function unfinished(at: string, ended: Exclude<Exchange, { kind: "answer" }>): OtherOutcome {
  if (ended.kind !== "status") return ambiguous("DEVICE_REPLY_LOST", `${at}: no answer`, { spent: false });
  const moved = ended.status === inconsistentValue;
  const code = moved ? "SNMP_SPIN_LOCK_MOVED" : "SNMP_REQUEST_REFUSED";
  // After the first request the lock has moved: what was prepared can never apply.
  return ambiguous(code, `${at}: error-status ${ended.status}`, { spent: false, prepareAgain: moved || at === "create" });
}

function resetter({ job: { helper } }: UsmJob): UsmLogin | null {
  return helper === undefined ? null : { username: helper.username, secret: helper.secrets };
}

/** What went wrong with the other user's login says nothing about the account's password, and nothing was changed. */
function asHelpers(outcome: OtherOutcome): OtherOutcome {
  if (outcome.kind === "NOT_SENT") return outcome;
  const code = outcome.kind === "REJECTED_AUTH" ? "SNMP_HELPER_REFUSED" : outcome.code;
  return { ...notSent(code, `helper: ${outcome.detail}`), mayHaveSpentAttempt: outcome.mayHaveSpentAttempt };
}
