import type { DeviceJob } from "../contract/index.ts";
import type { RecipeStep } from "../models/index.ts";
import { operationSlackMs, snmpExchanges, sshSessionExchanges, sshSessions } from "./limits.ts";

/**
 * The time after which an operation is given up, milliseconds: a backstop behind the adapter's own time limits, wide
 * enough for the model's longest sequence with each exchange at its limit.
 */
export function jobBudgetMs(job: Pick<DeviceJob, "model" | "timeoutMs">): number {
  const { model, timeoutMs } = job;
  if (model.adapter === "snmp") return snmpExchanges * timeoutMs + operationSlackMs;
  if (model.adapter === "ssh") {
    const prompts = model.parameters.change.prompts.length;
    return sshSessions * (sshSessionExchanges + prompts) * timeoutMs + operationSlackMs;
  }
  const { identify, unlock, push, verify, save } = model.recipe;
  const longest = Math.max(...[push, verify, save].map((list) => listMs(list, unlock, timeoutMs)));
  return timeoutMs + listMs(identify, unlock, timeoutMs) + longest + operationSlackMs;
}

/** The same for `operations` of a rotation in a row, and the time in which a change of unknown fate may still take effect. */
export function rotationBudgetMs(job: Pick<DeviceJob, "model" | "timeoutMs">, operations: number): number {
  return operations * jobBudgetMs(job) + job.model.settleMs;
}

function listMs(list: readonly RecipeStep[], unlock: readonly RecipeStep[], timeoutMs: number): number {
  let total = 0;
  for (const step of list) {
    if (step.do === "unlock") total += listMs(unlock, [], timeoutMs);
    else if (step.do === "wait") total += step.ms;
    // A step that asks again may start its last attempt, a connection and an exchange, just before its time is over.
    else if (step.do === "expect") total += step.withinMs + 2 * timeoutMs;
    else total += timeoutMs;
  }
  return total;
}
