import type { Command } from "commander";
import type { AccountStatus, SiteStatus } from "../../edge/index.ts";
import { CliError, dataPath, exitCodes, type Frame, withData } from "../frame/index.ts";
import { type DryRunResult, dryRunLines } from "./dry-run-view.ts";
import { secondsOf } from "./duration.ts";

interface SiteOptions {
  readonly data?: string;
  readonly reason?: string;
}

interface PermitOptions {
  readonly data?: string;
  readonly for?: string;
  readonly end?: boolean;
}

/** `tidegate edge hold | release | permit | rotate`: what a person on the segment decides, with the vault in reach or not. */
export function addSite(edge: Command, frame: Frame): void {
  withData(edge.command("hold <zone/device>"))
    .description("let nothing new begin on a device until it is released here; what is unfinished is finished")
    .option("--reason <text>", "why; stands in the audit log")
    .action((path: string, options: SiteOptions) => decide(frame, "hold", reasoned(path, options), options));
  withData(edge.command("release <path>"))
    .description("end a hold of zone/device that was set here, or let zone/device/account in QUARANTINE be rotated again")
    .option("--reason <text>", "why a hold ends; stands in the audit log")
    .action((path: string, options: SiteOptions) => release(frame, path, options));
  withData(edge.command("permit"))
    .description("allow rotations for a while, where this edge asks for a permit (requirePermit)")
    .option("--for <time>", "how long, such as 2h or 30m; up to 24h")
    .option("--end", "end a permit that runs")
    .action((options: PermitOptions) => decide(frame, "permit", { forS: permitSeconds(options) }, options));
  withData(edge.command("rotate <zone/device/account>"))
    .description("change the password of an account now, from the pool")
    .option("--dry-run", "send nothing: show what stands in the way, and what would be sent")
    .action(async (path: string, options: { data?: string; dryRun?: boolean }) =>
      options.dryRun === true ? dryRun(frame, path, options) : wishFor(frame, "rotate", path, options),
    );
}

/** Asks the running edge for something about one account. */
export async function wishFor(frame: Frame, action: string, path: string, options: { data?: string }): Promise<void> {
  const account = (await call(frame, options, "POST", `/v1/rotations/${action}`, { path })) as AccountStatus;
  frame.output.result(account, ({ state, version }) => `${path}: ${action} is under way; ${state}, version ${version}`);
}

async function release(frame: Frame, path: string, options: SiteOptions): Promise<void> {
  if (path.split("/").length !== 2) return wishFor(frame, "release", path, options);
  return decide(frame, "release", reasoned(path, options), options);
}

async function decide(frame: Frame, action: string, body: object, options: { data?: string }): Promise<void> {
  const status = (await call(frame, options, "POST", `/v1/site/${action}`, body)) as SiteStatus;
  frame.output.result(status, siteLines);
}

function siteLines({ requirePermit, permitLeftS, held }: SiteStatus): string[] {
  const permit = permitLeftS > 0 ? `runs for ${permitLeftS} s` : "none runs";
  return [
    `permit: ${permit}${requirePermit ? "" : "; this edge asks for none"}`,
    ...(held.length === 0
      ? ["held here: nothing"]
      : held.map(({ device, reason }) => `held here: ${device}  ${reason}`.trimEnd())),
  ];
}

async function dryRun(frame: Frame, path: string, options: { data?: string }): Promise<void> {
  const answer = await call(frame, options, "GET", `/v1/rotations/dry-run?path=${encodeURIComponent(path)}`);
  const result = answer as DryRunResult;
  frame.output.result(result, dryRunLines);
  if (!result.ready) frame.exit(exitCodes.negative);
}

function permitSeconds({ for: text, end }: PermitOptions): number {
  const forS = text === undefined ? null : secondsOf(text);
  if (end === true && text === undefined) return 0;
  if (end !== true && forS !== null) return forS;
  throw new CliError("CLI_USAGE", "say how long: --for 2h, or --end");
}

function reasoned(path: string, { reason }: SiteOptions): object {
  return reason === undefined ? { path } : { path, reason };
}

async function call(
  frame: Frame,
  options: { data?: string },
  method: "GET" | "POST",
  path: string,
  body?: object,
): Promise<unknown> {
  const { callAdmin } = await import("../../agent/admin/index.ts");
  return callAdmin(dataPath(frame, "edge", options), body === undefined ? { method, path } : { method, path, body });
}
