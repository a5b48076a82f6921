import {
  ambiguous,
  type DeviceJob,
  notSent,
  type OtherOutcome,
  type Outcome,
  rejectedPolicy,
  type SecretFields,
} from "../contract/index.ts";
import { resolveSettings, type SshModel, valueProblem } from "../models/index.ts";
import { type ExpectedKey, keyOfIdentity, keyOfSetting } from "./host-key.ts";
import type { SessionOptions } from "./ssh-session.ts";

/** A job whose model, settings and secrets can be used. */
export interface SshJob {
  readonly job: DeviceJob;
  readonly model: SshModel;
  readonly expectedKeys: readonly ExpectedKey[];
  readonly current: string;
}

/** Reads a job, or says why it cannot be done: nothing was sent then. */
export function readSshJob(job: DeviceJob): SshJob | OtherOutcome {
  const { model, target } = job;
  if (model.adapter !== "ssh") return notSent("ADAPTER_UNKNOWN", `model ${model.name} is not for ssh`);
  const { settings, problems } = resolveSettings(model, target.settings);
  if (settings === null) return notSent("DEVICE_SETTINGS_INVALID", problems.join("; "));
  const pinned = settings["hostKey"] ?? "";
  const key = pinned === "" ? null : keyOfSetting(pinned);
  if (pinned !== "" && key === null)
    return notSent("DEVICE_SETTINGS_INVALID", "hostKey: not allowed, allowed: SHA256:…, or TYPE SHA256:…");
  const known = job.identity === null ? null : keyOfIdentity(job.identity);
  if (!isUsername(job.username)) return notSent("DEVICE_SETTINGS_INVALID", "user name: a character that no user name has");
  const current = textOf(job.secrets.current);
  if (current === null) return notSent("DEVICE_VALUE_UNFIT", "no password, or one that is no text");
  return { job, model, current, expectedKeys: [key, known].filter((each) => each !== null) };
}

/** What a session of the account itself needs. */
export function ownSession(read: SshJob): SessionOptions {
  return sessionOf(read, read.job.username, read.current);
}

/** What a session of whoever makes the change needs; an outcome where that account is missing. */
export function changerSession(read: SshJob): SessionOptions | OtherOutcome {
  if (read.model.parameters.changedBy === "self") return ownSession(read);
  const { helper } = read.job;
  const password = helper === undefined ? null : textOf(helper.secrets);
  if (helper === undefined || password === null || !isUsername(helper.username))
    return notSent("SSH_HELPER_MISSING", "the account that makes the change is not known");
  return sessionOf(read, helper.username, password);
}

/**
 * The outcome of the changer's session as one about the account. What went wrong with the helper's login says nothing about
 * the account's password, and nothing was changed.
 */
export function asChangers(read: SshJob, outcome: OtherOutcome): OtherOutcome {
  if (read.model.parameters.changedBy === "self" || outcome.kind === "NOT_SENT") return outcome;
  const code = outcome.kind === "REJECTED_AUTH" ? "SSH_HELPER_REFUSED" : "SSH_HELPER_FAILED";
  return { ...notSent(code, `helper: ${outcome.code}`), mayHaveSpentAttempt: outcome.mayHaveSpentAttempt };
}

/** The new password as text, or why it cannot be the new one. */
export function nextOf(read: SshJob): string | Outcome {
  const { model, job } = read;
  const { change } = model.parameters;
  const bytes = job.secrets.next?.["password"] ?? new Uint8Array(0);
  const problem = model.secrets.password === undefined ? "no such field" : valueProblem(model.secrets.password, bytes);
  if (problem !== null) return rejectedPolicy("DEVICE_VALUE_UNFIT", `password: ${problem}`);
  const next = textOf({ password: bytes });
  if (next === null || !isTypeable(next)) return rejectedPolicy("DEVICE_VALUE_UNFIT", "password: a control character");
  if (change.stdin !== null && next.includes(":"))
    return rejectedPolicy("DEVICE_VALUE_UNFIT", "password: a colon, which parts the line");
  if (next === read.current) return rejectedPolicy("DEVICE_VALUE_UNFIT", "password: the same as before");
  const typesCurrent = change.prompts.some(({ send }) => send === "current");
  if (typesCurrent && !isTypeable(read.current))
    return notSent("DEVICE_VALUE_UNFIT", "the current password holds a control character and cannot be typed");
  return next;
}

/** The password may be right; it only cannot do anything before it was changed. */
export function expiredOutcome(at: string): Outcome {
  return ambiguous("SSH_PASSWORD_EXPIRED", `${at}: the device wants the password changed first`, { spent: false });
}

function sessionOf(read: SshJob, username: string, password: string): SessionOptions {
  const { target, timeoutMs } = read.job;
  const { algorithms, expired } = read.model.parameters;
  return { target, username, password, algorithms, expired, expectedKeys: read.expectedKeys, timeoutMs };
}

/** The library takes passwords as strings only; this is why it runs in a process that does not live long. Null where it is none. */
function textOf(fields: SecretFields): string | null {
  const bytes = fields["password"] ?? new Uint8Array(0);
  const text = Buffer.from(bytes).toString("utf8");
  return bytes.length > 0 && Buffer.compare(Buffer.from(text, "utf8"), bytes) === 0 ? text : null;
}

/** A terminal would act on a control character, and a line ends at the first newline. */
function isTypeable(text: string): boolean {
  return !/\p{Cc}/u.test(text);
}

/** What `useradd` allows and vendors add to it; never a colon, a blank or a leading hyphen. */
function isUsername(text: string): boolean {
  return /^[A-Za-z0-9_.@\\][A-Za-z0-9_.@\\$-]{0,127}$/.test(text);
}
