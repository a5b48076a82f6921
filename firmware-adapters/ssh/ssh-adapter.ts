import { type Adapter, ambiguous, type DeviceJob, notSent, type Outcome, ok, type PushJob } from "../contract/index.ts";
import type { SshCommand } from "../models/index.ts";
import { CommandRun, succeeded } from "./command-run.ts";
import { loginOutcome } from "./login-outcome.ts";
import { PasswordChange } from "./password-change.ts";
import { matchesAny } from "./pattern.ts";
import { asChangers, changerSession, expiredOutcome, nextOf, ownSession, readSshJob, type SshJob } from "./ssh-job.ts";
import { type SessionOptions, SshSession } from "./ssh-session.ts";

/** A change over SSH has no choice to fix beforehand; the state only says by which version of the rules it was prepared. */
const preparedState = Uint8Array.of(1);

/**
 * SSH: an account changes its own password in a dialogue over a terminal, or an admin account writes it to a command's
 * standard input. The host key is looked at before any password leaves.
 */
export const sshAdapter: Adapter = {
  prepare: (job) => withJob(job, prepare),
  push: (job) => withJob(job, (read) => push(read, job)),
  verify: (job) => withJob(job, (read) => proof(read, ownSession(read), "verify")),
  identify: (job) => withJob(job, identify),
  save: (job) => withJob(job, save),
};

async function withJob(job: DeviceJob, work: (read: SshJob) => Promise<Outcome>): Promise<Outcome> {
  const read = readSshJob(job);
  return "kind" in read ? read : work(read);
}

/** Refuses what can be refused, and proves the logins that the change will need. */
async function prepare(read: SshJob): Promise<Outcome> {
  const next = nextOf(read);
  if (typeof next !== "string") return next;
  const changer = changerSession(read);
  if ("kind" in changer) return changer;
  const byAdmin = read.model.parameters.changedBy === "admin";
  const own = byAdmin && read.job.ownUnknown === true ? null : await proof(read, ownSession(read), "prepare");
  if (own !== null && own.kind !== "OK") return own;
  const helper = byAdmin ? await proof(read, changer, "prepare") : null;
  if (helper !== null && helper.kind !== "OK") return asChangers(read, helper);
  return ok({ state: preparedState, identity: (own ?? helper)?.identity ?? null });
}

async function push(read: SshJob, job: PushJob): Promise<Outcome> {
  if (Buffer.compare(job.state, preparedState) !== 0)
    return notSent("DEVICE_STATE_MALFORMED", "the prepared state cannot be read");
  const next = nextOf(read);
  if (typeof next !== "string") return next;
  const changer = changerSession(read);
  if ("kind" in changer) return changer;
  const { change } = read.model.parameters;
  return withSession(read, changer, "push", async (session) => {
    const options = { terminal: change.prompts.length > 0, timeoutMs: read.job.timeoutMs };
    const run = await CommandRun.start(session, change.command, options);
    if (run === null) return notSent("DEVICE_NO_ANSWER", "push: the command was not started");
    const secrets = { username: job.username, current: read.current, next };
    return new PasswordChange(run, change, secrets, session.identity).carryOut();
  });
}

async function save(read: SshJob): Promise<Outcome> {
  const command = read.model.parameters.save;
  if (command === null) return ok({ code: "DEVICE_SAVE_NOT_NEEDED" });
  const changer = changerSession(read);
  if ("kind" in changer) return changer;
  return withSession(read, changer, "save", (session) => runCommand(read, session, command, "save"));
}

/** The handshake proves the host key; no login is made. */
async function identify(read: SshJob): Promise<Outcome> {
  const found = await SshSession.identify(ownSession(read));
  return typeof found === "string" ? ok({ identity: found }) : loginOutcome(found, "identify");
}

/** A login that does real work. */
function proof(read: SshJob, options: SessionOptions, at: string): Promise<Outcome> {
  const { verify } = read.model.parameters;
  return withLogin(options, at, (session) => runCommand(read, session, verify, at));
}

async function runCommand(read: SshJob, session: SshSession, command: SshCommand, at: string): Promise<Outcome> {
  const run = await CommandRun.start(session, command.command, { terminal: false, timeoutMs: read.job.timeoutMs });
  if (run === null) return ambiguous("DEVICE_NO_ANSWER", `${at}: the command was not started`, { spent: false });
  const end = await run.finished();
  const lines = run.transcript.lines();
  if (succeeded(end, command, lines)) return ok({ identity: session.identity });
  if (lines.some((line) => matchesAny(read.model.parameters.expired, line))) return expiredOutcome(at);
  if (end.kind !== "exit") return ambiguous("DEVICE_NO_ANSWER", `${at}: ${end.kind}`, { spent: false });
  const status = end.status ?? "not told";
  return ambiguous("DEVICE_ANSWER_UNEXPECTED", `${at}: exit status ${status}`, { spent: false });
}

/** A session of whoever makes the change: what goes wrong with a helper's login is not about the account. */
async function withSession(
  read: SshJob,
  options: SessionOptions,
  at: string,
  work: (session: SshSession) => Promise<Outcome>,
): Promise<Outcome> {
  let loggedIn = false;
  const outcome = await withLogin(options, at, (session) => {
    loggedIn = true;
    return work(session);
  });
  return loggedIn || outcome.kind === "OK" ? outcome : asChangers(read, outcome);
}

async function withLogin(
  options: SessionOptions,
  at: string,
  work: (session: SshSession) => Promise<Outcome>,
): Promise<Outcome> {
  const session = await SshSession.open(options);
  if ("kind" in session) return loginOutcome(session, at);
  try {
    return await work(session);
  } finally {
    session.close();
  }
}
