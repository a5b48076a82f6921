import { formatAddress, isAddress } from "../../agent/address/index.ts";
import { callAdmin } from "../../agent/admin/index.ts";
import type { DeviceModel } from "../../firmware-adapters/index.ts";
import { CliError, type Frame } from "../frame/index.ts";
import { rotationOf, vaultPath } from "./device-options.ts";
import { type DeviceAnswer, deviceLines, deviceRoute, showDevice } from "./device-view.ts";
import { requireTimeZone, windowsOfTexts } from "./window-text.ts";

/** Options of `device set`; what is not given stays. */
export interface SetOptions {
  readonly data?: string;
  readonly host?: string;
  readonly port?: number;
  readonly set: readonly (readonly [string, string])[];
  readonly window: readonly string[];
  readonly timeZone?: string;
  readonly rotate?: string;
  readonly windowless?: boolean;
  readonly breakGlass?: boolean;
  readonly consumers?: string;
  readonly rotateAfter?: string;
  /** A path; false takes it back. */
  readonly reconcileBy?: string | false;
}

/**
 * Corrects where a device is reached, its settings and windows, and the rules of its accounts, or of the one that the path names.
 * Throws CLI_USAGE.
 */
export async function setDevice(frame: Frame, path: string, options: SetOptions): Promise<void> {
  const { host, port, set, window, timeZone } = options;
  const rules = rulesOf(options);
  const reaches = host !== undefined || port !== undefined || set.length > 0;
  const device = reaches || window.length > 0 || timeZone !== undefined;
  if (!device && Object.keys(rules).length === 0)
    throw new CliError("CLI_USAGE", "nothing to change: 'tidegate device set --help' lists what can be");
  const [zone = "", name = "", account] = path.split("/");
  const at = `${zone}/${name}`;
  if (device && account !== undefined) throw new CliError("CLI_USAGE", "that belongs to the device: give zone/device");
  const before = await showDevice(frame, at, options);
  const accounts = before.accounts.filter((each) => account === undefined || each.path === path);
  if (accounts.length === 0) throw new CliError("CLI_USAGE", `there is no account ${path}`);
  const ofOne = rules.breakGlass !== undefined ? "--break-glass" : rules.reconcileBy !== undefined ? "--reconcile-by" : null;
  if (ofOne !== null && accounts.length > 1)
    throw new CliError("CLI_USAGE", `say which account: give zone/device/account with ${ofOne}`);
  if (device) await setReach(frame, before, options);
  for (const each of accounts) if (Object.keys(rules).length > 0) await setRules(frame, each.path, rules, options);
  frame.output.result(await showDevice(frame, at, options), deviceLines);
  if (!reaches) return;
  frame.output.say("the identity that its edge has pinned is kept: another device at this place is noticed");
  for (const each of before.accounts) frame.output.say(`next: tidegate device verify ${each.path} --wait 30`);
}

async function setReach(frame: Frame, before: DeviceAnswer, options: SetOptions): Promise<void> {
  const { host, port, set, window, timeZone } = options;
  const reach = { host: host ?? before.host, port: port ?? before.port };
  requireReach(reach);
  const model = await modelOf(frame, before.model, options);
  const settings = await requireSettings(model, { ...before.settings, ...Object.fromEntries(set) });
  const windows = window.length === 0 ? before.windows : windowsOfTexts(window);
  requireTimeZone(windows, timeZone ?? (before.windows.length > 0 ? before.timeZone : null));
  const body = { ...reach, settings, windows, timeZone: timeZone ?? before.timeZone };
  await callAdmin(vaultPath(frame, options), { method: "PUT", path: deviceRoute(before.path), body });
}

/** The vault's names of the events by those of the command line. */
const events: Readonly<Record<string, string>> = { "person-read": "personRead", revert: "revert" };

function eventsOf(text: string): string[] {
  const words = text === "none" ? [] : text.split(",");
  return words.map((word) => {
    const event = Object.hasOwn(events, word) ? events[word] : undefined;
    if (event !== undefined) return event;
    throw new CliError("CLI_USAGE", "--rotate-after takes person-read, revert, both with a comma between, or none");
  });
}

function rulesOf({ rotate, windowless, breakGlass, consumers, reconcileBy, rotateAfter }: SetOptions) {
  if (consumers !== undefined && consumers !== "ack-first" && consumers !== "none")
    throw new CliError("CLI_USAGE", "--consumers takes ack-first or none");
  return {
    ...(consumers === undefined ? {} : { consumers }),
    ...(reconcileBy === undefined ? {} : { reconcileBy: reconcileBy === false ? null : reconcileBy }),
    ...(rotateAfter === undefined ? {} : { rotateOn: eventsOf(rotateAfter) }),
    ...(rotate === undefined ? {} : { rotation: rotationOf(rotate) }),
    ...(windowless === undefined ? {} : { windowless }),
    ...(breakGlass === undefined ? {} : { breakGlass }),
  };
}

/** Changes the rules of one account at the vault. */
export async function setRules(
  frame: Frame,
  path: string,
  rules: ReturnType<typeof rulesOf>,
  options: { data?: string },
): Promise<void> {
  const at = path.split("/").map(encodeURIComponent).join("/");
  await callAdmin(vaultPath(frame, options), { method: "PUT", path: `/v1/accounts/${at}`, body: rules });
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
export async function modelOf(frame: Frame, name: string, options: { data?: string }): Promise<DeviceModel> {
  const { readBuiltinModel, readModelText } = await import("../models/index.ts");
  const call = { method: "GET", path: `/v1/models?name=${encodeURIComponent(name)}` } as const;
  const { yaml } = (await callAdmin(vaultPath(frame, options), call)) as { yaml: string | null };
  return yaml === null ? readBuiltinModel(name).model : readModelText(yaml);
}
