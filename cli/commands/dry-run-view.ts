import { table } from "../frame/index.ts";

/** One thing that is asked before a password is changed. */
export interface DryCheck {
  readonly check: string;
  /** What would stand in the way, or null. */
  readonly code: string | null;
  readonly detail: string;
}

/** What would be asked and what would be sent. */
export interface DryRunResult {
  readonly path: string;
  /** Nothing stands in the way. */
  readonly ready: boolean;
  readonly checks: readonly DryCheck[];
  readonly requests: readonly string[];
}

/** A dry run, for people. */
export function dryRunLines({ path, ready, checks, requests }: DryRunResult): string[] {
  const first = checks.find(({ code }) => code !== null)?.code ?? "";
  return [
    `${path}: ${ready ? "a rotation could begin now" : `a rotation would not begin now: ${first}`}; nothing was ordered or sent`,
    ...table([["  ASKED", "ANSWER", ""], ...checks.map(({ check, code, detail }) => [`  ${check}`, code ?? "ok", detail])]),
    "  then it would:",
    ...requests.map((line) => `    ${line}`),
  ];
}
