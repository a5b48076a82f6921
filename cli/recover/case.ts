import { callAdmin } from "../../agent/admin/index.ts";
import type { DeviceModel } from "../../firmware-adapters/index.ts";
import { attemptLimit, type LockoutBudget, lockoutBudget } from "../../protocol/rotation/index.ts";
import { readBuiltinModel, readModelText } from "../models/index.ts";
import { aliveWithinMs } from "./limits.ts";

/** A version that may be live, as the vault answers it. */
export interface Candidate {
  readonly version: string;
  readonly status: string;
  readonly why: string;
  readonly source: string;
  readonly fieldNames: readonly string[];
  readonly createdAtMs: number | null;
  readonly provenAtMs: number | null;
}

interface CandidatesAnswer {
  readonly path: string;
  readonly username: string;
  readonly unsettled: boolean;
  readonly reported: { readonly state: string | null; readonly code: string | null; readonly atMs: number } | null;
  readonly edge: { readonly name: string; readonly state: string; readonly lastHeardAtMs: number | null } | null;
  readonly attempts: { readonly spent: number; readonly lastAtMs: number } | null;
  readonly candidates: readonly Candidate[];
}

/** A device as the vault describes it, as far as a login needs it. */
export interface DeviceFacts {
  readonly path: string;
  readonly model: string;
  readonly host: string;
  readonly port: number;
  readonly identity: string | null;
  readonly settings: Readonly<Record<string, string>>;
}

/** Everything about an account whose edge is gone. */
export interface RecoveryCase extends CandidatesAnswer {
  readonly device: DeviceFacts;
  readonly model: DeviceModel;
  readonly budget: LockoutBudget;
  /** Logins in one window; 0 where none may be made by a machine. */
  readonly limit: number;
  /** Why the edge may live, or null. */
  readonly alive: string | null;
}

/** Asks the vault of this data folder. Throws REGISTRY_NOT_FOUND, MODEL_INVALID, ADMIN_*. */
export async function readCase(folder: string, path: string, nowMs: number): Promise<RecoveryCase> {
  const get = (call: string) => callAdmin(folder, { method: "GET", path: call });
  const answer = (await get(`/v1/credentials/candidates?path=${encodeURIComponent(path)}`)) as CandidatesAnswer;
  const [zone = "", name = ""] = path.split("/");
  const device = (await get(`/v1/devices/${encodeURIComponent(zone)}/${encodeURIComponent(name)}`)) as DeviceFacts;
  const stored = (await get(`/v1/models?name=${encodeURIComponent(device.model)}`)) as { readonly yaml: string | null };
  const model = stored.yaml === null ? readBuiltinModel(device.model).model : readModelText(stored.yaml);
  const budget = lockoutBudget(model.lockout);
  return { ...answer, device, model, budget, limit: attemptLimit(budget.threshold), alive: aliveText(answer, nowMs) };
}

function aliveText({ edge, path, reported }: CandidatesAnswer, nowMs: number): string | null {
  if (edge === null) return null;
  const heardMs = Math.max(edge.lastHeardAtMs ?? 0, reported?.atMs ?? 0);
  if (heardMs === 0 || nowMs - heardMs > aliveWithinMs) return null;
  const minutes = Math.max(0, Math.round((nowMs - heardMs) / 60_000));
  return `edge ${edge.name} of ${path.split("/")[0]} was heard ${minutes} min ago`;
}
