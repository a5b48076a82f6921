import { formatAddress, isAddress } from "../../agent/address/index.ts";
import { callAdmin } from "../../agent/admin/index.ts";
import type { DeviceModel } from "../../firmware-adapters/index.ts";
import { CliError, dataPath, type Frame } from "../frame/index.ts";
import { type DeviceAnswer, deviceLines, deviceRoute, showDevice } from "./device-view.ts";

/** Options of `device set`; what is not given stays. */
export interface SetOptions {
  readonly data?: string;
  readonly host?: string;
  readonly port?: number;
  readonly set: readonly (readonly [string, string])[];
}

/** Corrects where a device is reached and its settings, under the same rules as `device add`. Throws CLI_USAGE. */
export async function setDevice(frame: Frame, path: string, options: SetOptions): Promise<void> {
  const { host, port, set } = options;
  if (host === undefined && port === undefined && set.length === 0) {
    throw new CliError("CLI_USAGE", "nothing to change: give --host, --port or --set key=value");
  }
  const before = await showDevice(frame, path, options);
  const reach = { host: host ?? before.host, port: port ?? before.port };
  requireReach(reach);
  const model = await modelOf(frame, before.model, options);
  const settings = await requireSettings(model, { ...before.settings, ...Object.fromEntries(set) });
  const call = { method: "PUT", path: deviceRoute(path), body: { ...reach, settings } } as const;
  const after = (await callAdmin(dataPath(frame, "vault", options), call)) as DeviceAnswer;
  frame.output.result(after, deviceLines);
  frame.output.say("the identity that its edge has pinned is kept: another device at this place is noticed");
  for (const account of after.accounts) frame.output.say(`next: tidegate device verify ${account.path} --wait 30`);
}

/** Throws CLI_USAGE where a host or port could not be dialled. */
export function requireReach(reach: { readonly host: string; readonly port: number }): void {
  if (isAddress(formatAddress(reach))) return;
  throw new CliError("CLI_USAGE", "--host takes a name or an address, --port a number up to 65535");
}

/** The settings with the model's defaults filled in. Throws CLI_USAGE with everything that the model does not allow. */
export async function requireSettings(
  model: DeviceModel,
  given: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  const { resolveSettings } = await import("../../firmware-adapters/index.ts");
  const resolved = resolveSettings(model, given);
  if (resolved.settings !== null) return resolved.settings;
  throw new CliError("CLI_USAGE", `--set: ${resolved.problems.join("; ")}`, { hint: `tidegate model show ${model.name}` });
}

/** A published model is read here; a file's text lies at the vault. */
async function modelOf(frame: Frame, name: string, options: { data?: string }): Promise<DeviceModel> {
  const { readBuiltinModel, readModelText } = await import("../models/index.ts");
  const call = { method: "GET", path: `/v1/models?name=${encodeURIComponent(name)}` } as const;
  const { yaml } = (await callAdmin(dataPath(frame, "vault", options), call)) as { yaml: string | null };
  return yaml === null ? readBuiltinModel(name).model : readModelText(yaml);
}
