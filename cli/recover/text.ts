import { table } from "../frame/index.ts";
import type { RecoveryCase } from "./case.ts";

/** What a technician needs at the device: what to try in which order, how often, and what speaks against it. */
export function caseLines(found: RecoveryCase): string[] {
  const { device, path, username, candidates, alive, unsettled } = found;
  return [
    `${path}  user ${username}  ${device.model} at ${device.host}:${device.port}`,
    ...(alive === null
      ? []
      : [`warning: ${alive}. Where it lives it logs in too, and shares the lockout: stop it before anybody tries.`]),
    ...(unsettled
      ? ["warning: this vault was restored and has not learned what the edge holds: the list may lack the live one."]
      : []),
    ...(candidates.length === 0
      ? ["the vault holds no value of this account"]
      : table([
          ["", "VERSION", "STATUS", "PROVEN", "WHY IT MAY BE LIVE"],
          ...candidates.map((each, i) => [`${i + 1}.`, each.version, each.status, time(each.provenAtMs), each.why]),
        ])),
    attemptsText(found),
  ];
}

/** How many logins the lockout allows, and the wait between. */
export function attemptsText({ budget, limit, model }: RecoveryCase): string {
  const window = waitText(budget.windowMs);
  if (budget.threshold === "none") return `attempts: ${model.name} never locks out; a probe makes ${limit} in ${window}`;
  if (limit === 0)
    return `attempts: ${model.name} locks out at ${budget.threshold}: nothing is tried by machine, and a typo may cost the account`;
  const why = budget.threshold === "unknown" ? "its lockout is not known" : `it locks out at ${budget.threshold}`;
  return `attempts: ${limit} in ${window} (${why}${budget.shared ? ", all its accounts together" : ""}); after that wait ${window}`;
}

/** A time span for people. */
export function waitText(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.ceil(minutes / 60)} h`;
}

function time(ms: number | null): string {
  return ms === null ? "never" : new Date(ms).toISOString();
}
