import { callAdmin } from "../../agent/admin/index.ts";
import { CliError, type Frame } from "../frame/index.ts";
import { rotationOf, vaultPath } from "./device-options.ts";
import { requireReach, requireSettings } from "./device-set.ts";
import { type DeviceAnswer, deviceLines } from "./device-view.ts";
import { requireTimeZone, windowsOfTexts } from "./window-text.ts";

/** Options of `device add`. */
export interface AddOptions {
  readonly data?: string;
  readonly zone: string;
  readonly model: string;
  readonly host: string;
  readonly port?: number;
  readonly set: readonly (readonly [string, string])[];
  readonly account: readonly string[];
  readonly rotate: string;
  readonly windowless?: boolean;
  readonly window: readonly string[];
  readonly timeZone?: string;
  readonly breakGlass?: string;
}

/** Registers a device with its accounts; nothing is sent to it. Throws CLI_USAGE. */
export async function addDevice(frame: Frame, name: string, options: AddOptions): Promise<void> {
  const { readBuiltinModel, readModelFile } = await import("../models/index.ts");
  const { modelNames } = await import("../../firmware-adapters/index.ts");
  const builtin = (modelNames as readonly string[]).includes(options.model);
  const isFile = !builtin && /[./]/.test(options.model);
  const { model, text } = isFile ? readModelFile(options.model) : readBuiltinModel(options.model);
  const settings = await requireSettings(model, Object.fromEntries(options.set));
  const port = options.port ?? model.defaultPort;
  requireReach({ host: options.host, port });
  const windows = windowsOfTexts(options.window);
  requireTimeZone(windows, options.timeZone ?? null);
  const body = {
    name,
    zone: options.zone,
    // A published model is part of every edge; a file's text travels with the device.
    model: { name: model.name, yaml: isFile ? text : null, constraints: model.secrets },
    host: options.host,
    port,
    settings,
    windows,
    ...(options.timeZone === undefined ? {} : { timeZone: options.timeZone }),
    accounts: accountsOf(options),
  };
  const added = (await callAdmin(vaultPath(frame, options), { method: "POST", path: "/v1/devices", body })) as DeviceAnswer;
  for (const note of model.sideEffects) frame.output.say(`note: ${note}`);
  frame.output.result(added, deviceLines);
  for (const { path } of added.accounts) frame.output.say(`next: tidegate credential set ${path}`);
}

function accountsOf({ account, rotate, windowless, breakGlass }: AddOptions) {
  const rotation = rotationOf(rotate);
  const accounts = account.map((text) => {
    const at = text.indexOf("=");
    const name = at < 0 ? text : text.slice(0, at);
    const username = at < 0 ? text : text.slice(at + 1);
    return { name, username, ...rotation, windowless: windowless === true, breakGlass: name === breakGlass };
  });
  if (breakGlass !== undefined && !accounts.some((each) => each.breakGlass))
    throw new CliError("CLI_USAGE", "--break-glass names one of the accounts given with --account");
  return accounts;
}
