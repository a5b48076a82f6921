import { randomBytes } from "node:crypto";
import { notSent, type OtherOutcome, rejectedPolicy, type SecretFields } from "../contract/index.ts";
import { valueProblem } from "../models/index.ts";
import { loginOutcome, refused, sameEngine } from "./exchange-outcome.ts";
import { type KeyChangeState, markerLength } from "./key-change-state.ts";
import { snmpEngineId, usmUserSpinLock } from "./oids.ts";
import type { UsmJob } from "./usm-job.ts";
import { keyChange, localizedKey, privacyKey } from "./usm-keys.ts";
import type { UsmSession } from "./usm-session.ts";

/** From which keys to which; `clonedFrom` where the row is made anew from that user's. */
interface KeyWay {
  readonly base: SecretFields;
  readonly next: SecretFields;
  readonly clonedFrom: string | null;
}

/** The new secrets of a job, or why they cannot be the new ones. */
export function newSecrets(read: UsmJob): { readonly next: SecretFields } | { readonly problem: OtherOutcome } {
  const { next } = read.job.secrets;
  if (next === null) return { problem: notSent("DEVICE_VALUE_UNFIT", "no new secret") };
  for (const [name, constraints] of Object.entries(read.model.secrets)) {
    const problem = valueProblem(constraints, next[name] ?? new Uint8Array(0));
    if (problem !== null) return { problem: rejectedPolicy("DEVICE_VALUE_UNFIT", `${name}: ${problem}`) };
  }
  return { next };
}

/** Logs in and fixes everything that the change will send. */
export async function fixedChange(read: UsmJob, session: UsmSession, way: KeyWay): Promise<KeyChangeState | OtherOutcome> {
  const ended = await session.get([snmpEngineId, usmUserSpinLock]);
  if (ended.kind !== "answer" && ended.kind !== "status") return loginOutcome(ended, "prepare");
  const { engineId } = session;
  if (ended.kind === "status" || engineId === null) return refused("prepare", ended.kind === "status" ? ended.status : 0);
  if (!sameEngine(ended.varbinds[0], engineId)) return notSent("DEVICE_IDENTITY_CHANGED", "the engine names another id");
  const spinLock = ended.varbinds[1]?.value;
  if (typeof spinLock !== "number") return notSent("SNMP_REQUEST_REFUSED", "the user may not read usmUserSpinLock");
  return makeState(read, engineId, spinLock, way);
}

function makeState({ protocols }: UsmJob, engineId: Uint8Array, spinLock: number, way: KeyWay): KeyChangeState {
  const { base, next, clonedFrom } = way;
  const field = (fields: SecretFields, name: string) => fields[name] ?? new Uint8Array(0);
  const authKey = (fields: SecretFields) => localizedKey(protocols.hash, field(fields, "authPassword"), engineId);
  const privKey = (fields: SecretFields) => privacyKey(protocols, field(fields, "privPassword"), engineId);
  const valueFor = (oldKey: Uint8Array, newKey: Uint8Array) => {
    const value = keyChange(protocols.hash, oldKey, newKey, randomBytes(newKey.length));
    oldKey.fill(0);
    newKey.fill(0);
    return value;
  };
  return {
    engineId,
    spinLock,
    clonedFrom,
    auth: valueFor(authKey(base), authKey(next)),
    priv: valueFor(privKey(base), privKey(next)),
    marker: new Uint8Array(randomBytes(markerLength)),
  };
}
