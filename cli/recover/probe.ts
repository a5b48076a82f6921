import { callAdmin } from "../../agent/admin/index.ts";
import type { Clock, Timers } from "../../agent/seams/index.ts";
import { type AdapterHost, createAdapterHost, type Outcome, resolveSettings } from "../../firmware-adapters/index.ts";
import type { Frame } from "../frame/index.ts";
import type { Candidate, RecoveryCase } from "./case.ts";
import { RecoverError } from "./codes.ts";
import { exchangeTimeoutMs, waitStepMs } from "./limits.ts";
import { waitText } from "./text.ts";

export interface ProbeOptions {
  readonly folder: string;
  /** Where the device is from here, if not where its edge finds it. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** Wait for windows to pass. */
  readonly wait: boolean;
  readonly edgeOffForMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Runs adapters; one in processes of its own unless given. */
  readonly adapters?: Pick<AdapterHost, "run"> & { close(): Promise<void> };
}

/** One login as it went. */
export interface Attempt {
  readonly version: string;
  readonly status: string;
  readonly outcome: Outcome["kind"];
  readonly code: string;
}

export interface Probed {
  /** The version that logs in, or null. */
  readonly live: string | null;
  readonly attempts: readonly Attempt[];
}

/**
 * Tries the candidates one after the other until one logs in. Each login is debited at the vault before it leaves; nothing leaves once
 * the window's budget is spent. Throws the RECOVER codes.
 */
export async function probe(frame: Frame, found: RecoveryCase, options: ProbeOptions): Promise<Probed> {
  refuse(found, options);
  const resolved = resolveSettings(found.model, found.device.settings);
  if (resolved.settings === null)
    throw new RecoverError("RECOVER_NOT_ALLOWED", `the settings of ${found.device.path} do not fit its model`);
  const adapters = options.adapters ?? createAdapterHost({ timers: options.timers });
  const attempts: Attempt[] = [];
  try {
    for (const candidate of found.candidates) {
      const secrets = await debited(frame, found, candidate, options);
      const outcome = await login(found, secrets, { ...options, settings: resolved.settings, adapters });
      await settled(found, candidate, outcome, options);
      const { version, status } = candidate;
      attempts.push({ version, status, outcome: outcome.kind, code: outcome.code });
      frame.output.say(`${version.padEnd(8)} ${status.padEnd(13)} ${wordOf(outcome)}`);
      if (outcome.kind === "OK") return { live: version, attempts };
      if (outcome.kind === "NOT_SENT") throw unreachable(found, outcome);
    }
    return { live: null, attempts };
  } finally {
    await adapters.close();
  }
}

function refuse(found: RecoveryCase, options: ProbeOptions): void {
  if (found.alive !== null && options.edgeOffForMs === 0) {
    throw new RecoverError("RECOVER_EDGE_ALIVE", found.alive, {
      hint: "Stop it first, then say for how long it has been off: --edge-off-for MINUTES.",
    });
  }
  if (found.limit > 0) return;
  throw new RecoverError("RECOVER_NOT_ALLOWED", `${found.device.model} locks out at ${found.budget.threshold}`, {
    hint: "Only a person may try there: 'tidegate credential recover PATH --reveal' prints the candidates.",
  });
}

/** The candidate's value, once its login is debited; waits for the window where that was asked for. */
async function debited(
  frame: Frame,
  found: RecoveryCase,
  { version }: Candidate,
  options: ProbeOptions,
): Promise<Record<string, Uint8Array>> {
  const { budget, limit, path } = found;
  const body = {
    path,
    version,
    limit,
    windowMs: budget.windowMs,
    locks: budget.threshold !== "none",
    shared: budget.shared,
    edgeOffForMs: options.edgeOffForMs,
  };
  for (;;) {
    const begun = (await callAdmin(options.folder, { method: "POST", path: "/v1/credentials/probe/begin", body })) as {
      waitMs: number;
      fields: Record<string, string> | null;
    };
    if (begun.fields !== null) {
      return Object.fromEntries(
        Object.entries(begun.fields).map(([name, text]) => [name, new Uint8Array(Buffer.from(text, "base64"))]),
      );
    }
    if (!options.wait) {
      throw new RecoverError("RECOVER_WAIT", `the next login on ${found.device.path} may leave in ${waitText(begun.waitMs)}`, {
        hint: "Run it again then, or wait with --wait. If the edge has been off for longer, say so: --edge-off-for MINUTES.",
      });
    }
    await waited(frame, version, begun.waitMs, options);
  }
}

async function waited(frame: Frame, version: string, ms: number, { clock, timers }: ProbeOptions): Promise<void> {
  const progress = frame.progress(`next login, with ${version}`, Math.ceil(ms / 1000));
  frame.output.say(`waiting ${waitText(ms)} for the device's lockout window before the login with ${version}`);
  const start = clock.sinceBootMs();
  for (let passed = 0; passed < ms; passed = clock.sinceBootMs() - start) {
    progress.update(Math.floor(passed / 1000), waitText(ms - passed));
    await new Promise<void>((resolve) => void timers.after(Math.min(waitStepMs, ms - passed), resolve));
  }
  progress.end();
}

interface LoginParts extends Omit<ProbeOptions, "adapters"> {
  readonly settings: Readonly<Record<string, string>>;
  readonly adapters: Pick<AdapterHost, "run">;
}

async function login(
  { device, model, username }: RecoveryCase,
  secrets: Record<string, Uint8Array>,
  { host, port, settings, adapters }: LoginParts,
): Promise<Outcome> {
  try {
    return await adapters.run(model.adapter, "verify", {
      target: { host: host ?? device.host, port: port ?? device.port, settings },
      username,
      secrets: { current: secrets, next: null },
      model,
      identity: device.identity,
      timeoutMs: exchangeTimeoutMs,
      attempts: 1,
    });
  } finally {
    for (const value of Object.values(secrets)) value.fill(0);
  }
}

async function settled(
  { path }: RecoveryCase,
  { version }: Candidate,
  { kind: outcome, code: says, mayHaveSpentAttempt: spent }: Outcome,
  { folder }: ProbeOptions,
): Promise<void> {
  const body = { path, version, outcome, spent, says };
  await callAdmin(folder, { method: "POST", path: "/v1/credentials/probe/end", body });
}

function wordOf({ kind, code }: Outcome): string {
  switch (kind) {
    case "OK":
      return "logs in";
    case "REJECTED_AUTH":
    case "REJECTED_POLICY":
      return `refused (${code})`;
    case "NOT_SENT":
      return `not tried (${code})`;
    case "AMBIGUOUS":
      return `no answer, counted as an attempt (${code})`;
  }
}

function unreachable(found: RecoveryCase, { code }: Outcome): RecoverError {
  const changed = code === "DEVICE_IDENTITY_CHANGED";
  return new RecoverError("RECOVER_UNREACHABLE", `${found.device.path} was not logged in to: ${code}`, {
    hint: changed
      ? "Another device answers there than the one that the edge knew."
      : "Nothing was spent. Where the device has another address from here, give --host and --port.",
  });
}
