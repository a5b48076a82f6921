import { type DeviceJob, notSent, type OtherOutcome, type SecretFields } from "../contract/index.ts";
import { resolveSettings, type SnmpModel } from "../models/index.ts";
import type { KeyExtension, UsmCipher, UsmHash, UsmProtocols } from "./usm-keys.ts";
import { UsmSession } from "./usm-session.ts";

const identityPrefix = "snmp-engine:";

/** A job read for this adapter: what the settings mean, and how to open its sessions. */
export interface UsmJob {
  readonly job: DeviceJob;
  readonly model: SnmpModel;
  readonly protocols: UsmProtocols;
  /** The engine that the device is known by. */
  readonly engineId: Uint8Array | null;
}

/** Reads a job, or says what is wrong with it before anything is sent. */
export function readUsmJob(job: DeviceJob): UsmJob | OtherOutcome {
  const { model } = job;
  if (model.adapter !== "snmp") return notSent("ADAPTER_UNKNOWN", `model ${model.name} is not for snmp`);
  const { settings, problems } = resolveSettings(model, job.target.settings);
  if (settings === null) return notSent("DEVICE_SETTINGS_INVALID", problems.join("; "));
  const missing = ["authPassword", "privPassword"].find((name) => (job.secrets.current[name]?.length ?? 0) === 0);
  if (missing !== undefined) return notSent("DEVICE_VALUE_UNFIT", `no ${missing}`);
  const protocols = {
    // The model's `oneOf` lists name no others.
    hash: settings["authProtocol"] as UsmHash,
    cipher: settings["privProtocol"] as UsmCipher,
    extension: settings["aes256Extension"] as KeyExtension,
  };
  return { job, model, protocols, engineId: job.identity === null ? null : engineOf(job.identity) };
}

/** Who logs in: the account of the job with one of its secrets, or another user of the agent. */
export interface UsmLogin {
  readonly username: string;
  readonly secret: SecretFields;
}

/** Works on a fresh session for the engine that is expected (`null`: whichever answers), and closes it. */
export async function withSession<T>(
  read: UsmJob,
  login: UsmLogin,
  expectedEngine: Uint8Array | null,
  work: (session: UsmSession) => Promise<T>,
): Promise<T> {
  const { target, timeoutMs } = read.job;
  const session = new UsmSession({ target, ...login, timeoutMs, protocols: read.protocols, expectedEngine });
  try {
    return await work(session);
  } finally {
    session.close();
  }
}

/** The identity text of an engine. */
export function identityOf(engineId: Uint8Array): string {
  return identityPrefix + Buffer.from(engineId).toString("hex");
}

/** The engine of an identity text; one that was not made here names no engine, so that no device matches it. */
function engineOf(identity: string): Uint8Array {
  return identity.startsWith(identityPrefix)
    ? new Uint8Array(Buffer.from(identity.slice(identityPrefix.length), "hex"))
    : new Uint8Array(0);
}
