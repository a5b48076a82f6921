import { ObjectType } from "net-snmp";
import {
  type Adapter,
  ambiguous,
  type DeviceJob,
  notSent,
  type Outcome,
  ok,
  type PushJob,
  rejectedPolicy,
  type SecretFields,
} from "../contract/index.ts";
import { inconsistentValue, loginOutcome, refused, sameEngine } from "./exchange-outcome.ts";
import { fixedChange, newSecrets } from "./key-change-request.ts";
import { decodeKeyChangeState, encodeKeyChangeState, type KeyChangeState } from "./key-change-state.ts";
import { snmpEngineId, usmUserObject, usmUserSpinLock } from "./oids.ts";
import { prepareReset, pushReset } from "./user-reset.ts";
import { identityOf, readUsmJob, type UsmJob, type UsmLogin, withSession } from "./usm-job.ts";
import type { UsmSession } from "./usm-session.ts";

/**
 * SNMPv3 with USM: a user changes its own authentication and privacy keys by RFC 3414's KeyChange, both in one PDU
 * together with the spin lock, which lets a change apply once only, and a marker in usmUserPublic. Where nobody knows its keys another
 * user may make it anew.
 */
export const snmpAdapter: Adapter = {
  prepare: (job) => withJob(job, prepare),
  push: (job) => withJob(job, (read) => push(read, job)),
  verify: (job) => withJob(job, login),
  identify: (job) => withJob(job, login),
  save: (job) => withJob(job, save),
};

async function withJob(job: DeviceJob, work: (read: UsmJob) => Promise<Outcome>): Promise<Outcome> {
  const read = readUsmJob(job);
  return "kind" in read ? read : work(read);
}

async function prepare(read: UsmJob): Promise<Outcome> {
  if (read.job.ownUnknown === true) return prepareReset(read);
  const checked = newSecrets(read);
  if ("problem" in checked) return checked.problem;
  const { next } = checked;
  const { current } = read.job.secrets;
  const same = Object.keys(read.model.secrets).find(
    (name) => Buffer.compare(next[name] ?? new Uint8Array(0), current[name] ?? new Uint8Array(0)) === 0,
  );
  if (same !== undefined) return rejectedPolicy("DEVICE_VALUE_UNFIT", `${same}: the same as before`);
  return withSession(read, own(read, current), read.engineId, async (session) => {
    const state = await fixedChange(read, session, { base: current, next, clonedFrom: null });
    if ("kind" in state) return state;
    return ok({ state: encodeKeyChangeState(state), identity: identityOf(state.engineId) });
  });
}

async function push(read: UsmJob, job: PushJob): Promise<Outcome> {
  const state = decodeKeyChangeState(job.state, read.protocols);
  const next = job.secrets.next;
  if (state === null || next === null) return notSent("DEVICE_STATE_MALFORMED", "the prepared state cannot be read");
  if (read.engineId !== null && Buffer.compare(read.engineId, state.engineId) !== 0) {
    return notSent("DEVICE_IDENTITY_CHANGED", "the state was prepared for another engine", { prepareAgain: true });
  }
  if ((job.ownUnknown === true) !== (state.clonedFrom !== null))
    return notSent("DEVICE_STATE_MALFORMED", "the state was prepared for another way", { prepareAgain: true });
  if (state.clonedFrom !== null) return pushReset(read, state);
  const sent = await withSession(read, own(read, job.secrets.current), state.engineId, (session) =>
    change(session, state, job.username),
  );
  if (sent.kind !== "AMBIGUOUS" || sent.code !== "DEVICE_REPLY_LOST" || job.attempts < 2) return sent;
  return resolveLostReply(read, state, next);
}

/** Sends the change after a look at the spin lock; the answer to that is also the proof that `current` is live. */
async function change(session: UsmSession, state: KeyChangeState, username: string): Promise<Outcome> {
  const look = await session.get([usmUserSpinLock]);
  if (look.kind !== "answer" && look.kind !== "status") return loginOutcome(look, "push");
  if (look.kind === "status") return refused("push", look.status);
  if (look.varbinds[0]?.value !== state.spinLock) {
    return notSent("SNMP_SPIN_LOCK_MOVED", "push: another change came between", { prepareAgain: true });
  }
  const object = (column: Parameters<typeof usmUserObject>[0]) => usmUserObject(column, state.engineId, username);
  const ended = await session.set([
    { oid: usmUserSpinLock, type: ObjectType.Integer, value: state.spinLock },
    { oid: object("ownAuthKeyChange"), type: ObjectType.OctetString, value: Buffer.from(state.auth) },
    { oid: object("ownPrivKeyChange"), type: ObjectType.OctetString, value: Buffer.from(state.priv) },
    { oid: object("public"), type: ObjectType.OctetString, value: Buffer.from(state.marker) },
  ]);
  if (ended.kind === "answer") return ok({ identity: identityOf(state.engineId) });
  if (ended.kind === "status") {
    const moved = ended.status === inconsistentValue;
    const code = moved ? "SNMP_SPIN_LOCK_MOVED" : "SNMP_REQUEST_REFUSED";
    return ambiguous(code, `push: error-status ${ended.status}`, { spent: false, prepareAgain: moved });
  }
  return ambiguous("DEVICE_REPLY_LOST", "push: no answer to the change", { spent: false });
}

/** A login with the new keys that reads the marker: it works only where the change was applied. */
async function resolveLostReply(read: UsmJob, state: KeyChangeState, next: SecretFields): Promise<Outcome> {
  return withSession(read, own(read, next), state.engineId, async (session) => {
    const ended = await session.get([usmUserObject("public", state.engineId, read.job.username)]);
    const value = ended.kind === "answer" ? ended.varbinds[0]?.value : null;
    if (Buffer.isBuffer(value) && Buffer.compare(value, state.marker) === 0) {
      return ok({
        code: "DEVICE_ALREADY_APPLIED",
        detail: "push: the answer was lost, the marker is there",
        identity: identityOf(state.engineId),
      });
    }
    const accepted = ended.kind === "answer" || ended.kind === "status";
    return ambiguous("DEVICE_REPLY_LOST", "push: no answer to the change, and no marker", { spent: !accepted });
  });
}

/** A login that reads the engine's id; any authenticated and encrypted answer proves the secret. */
function login(read: UsmJob): Promise<Outcome> {
  return withSession(read, own(read, read.job.secrets.current), read.engineId, async (session) => {
    const ended = await session.get([snmpEngineId]);
    if (ended.kind !== "answer" && ended.kind !== "status") return loginOutcome(ended, "login");
    const { engineId } = session;
    if (engineId === null) return ambiguous("DEVICE_ANSWER_UNEXPECTED", "login: no engine id");
    if (ended.kind === "answer" && !sameEngine(ended.varbinds[0], engineId)) {
      return notSent("DEVICE_IDENTITY_CHANGED", "the engine names another id");
    }
    return ok({ identity: identityOf(engineId) });
  });
}

async function save(read: UsmJob): Promise<Outcome> {
  const target = read.model.parameters.save;
  if (target === null) return ok({ code: "DEVICE_SAVE_NOT_NEEDED" });
  return withSession(read, own(read, read.job.secrets.current), read.engineId, async (session) => {
    const look = await session.get([snmpEngineId]);
    if (look.kind !== "answer" && look.kind !== "status") return loginOutcome(look, "save");
    const ended = await session.set([{ oid: target.oid, type: ObjectType.Integer, value: target.value }]);
    if (ended.kind === "answer") return ok({ identity: session.engineId === null ? null : identityOf(session.engineId) });
    if (ended.kind === "status") return refused("save", ended.status);
    return ambiguous("DEVICE_REPLY_LOST", "save: no answer", { spent: false });
  });
}

function own({ job }: UsmJob, secret: SecretFields): UsmLogin {
  return { username: job.username, secret };
}
