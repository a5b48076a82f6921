import { callAdmin } from "../../agent/admin/index.ts";
import type { WeekWindow } from "../../protocol/time/index.ts";
import { CliError, dataPath, type Frame, table } from "../frame/index.ts";
import { windowText } from "./window-text.ts";

/** A device as the vault describes it; `path` is zone/device. */
export interface DeviceAnswer {
  readonly path: string;
  readonly model: string;
  readonly host: string;
  readonly port: number;
  readonly identity: string | null;
  readonly timeZone: string;
  readonly windows: readonly WeekWindow[];
  /** The opening that is now, or the next one; null where no window is set. */
  readonly opening: { readonly fromMs: number; readonly toMs: number } | null;
  readonly held: boolean;
  readonly settings: Readonly<Record<string, string>>;
  /** Names of the secrets that each of its accounts has. */
  readonly fields: readonly string[];
  readonly accounts: readonly AccountAnswer[];
}

interface AccountAnswer {
  readonly path: string;
  readonly username: string;
  readonly rotate: string;
  readonly intervalS: number | null;
  readonly breakGlass: boolean;
  readonly consumers: string;
  readonly rotateOn: readonly string[];
  readonly reconcileBy: string | null;
  readonly group: string | null;
  readonly version: string | null;
  readonly provenAtMs: number | null;
  readonly pool: number;
  readonly unsettled: boolean;
  readonly reported: { readonly state: string | null; readonly code: string | null; readonly atMs: number } | null;
}

/** Asks the vault for a device. Throws CLI_USAGE, and what the vault refuses by its code. */
export async function showDevice(frame: Frame, path: string, options: { data?: string }): Promise<DeviceAnswer> {
  const call = { method: "GET", path: deviceRoute(path) } as const;
  return (await callAdmin(dataPath(frame, "vault", options), call)) as DeviceAnswer;
}

/** The admin call's path for zone/device. Throws CLI_USAGE. */
export function deviceRoute(path: string): string {
  const [zone, name, ...rest] = path.split("/");
  if (zone === undefined || name === undefined || rest.length > 0) throw new CliError("CLI_USAGE", "expected zone/device");
  return `/v1/devices/${encodeURIComponent(zone)}/${encodeURIComponent(name)}`;
}

/** A device, its settings and its accounts, for people. */
export function deviceLines(device: DeviceAnswer): string[] {
  return [
    `${device.path}  ${device.model}  ${device.host}:${device.port}${device.identity === null ? "" : `  ${device.identity}`}`,
    ...(device.held ? ["  held by an operator: nothing new begins"] : []),
    ...Object.entries(device.settings).map(([key, value]) => `  ${key} = ${value}`),
    ...windowLines(device),
    ...device.accounts.flatMap(ruleLines),
    ...table([
      ["  ACCOUNT", "USER", "ROTATE", "VERSION", "POOL", "PROVEN", "LAST REPORTED"],
      ...device.accounts.map((each) => [
        `  ${each.path}`,
        each.breakGlass ? `${each.username} (break-glass)` : each.username,
        each.intervalS === null ? each.rotate : `every ${each.intervalS} s`,
        each.version ?? "none",
        String(each.pool),
        each.provenAtMs === null ? "never" : new Date(each.provenAtMs).toISOString(),
        reportedText(each),
      ]),
    ]),
  ];
}

/** What is special about an account. */
function ruleLines({ path, consumers, reconcileBy, group, rotateOn, unsettled }: AccountAnswer): string[] {
  const rules = [
    unsettled ? "UNSETTLED: the vault was restored, and waits for what the edge holds" : null,
    group === null ? null : `changes with group ${group}`,
    reconcileBy === null ? null : `set anew by ${reconcileBy} where nobody knows its password`,
    rotateOn.includes("personRead") ? "rotated an hour after a person read it" : null,
    rotateOn.includes("revert") ? "rotated after an older password came back" : null,
    consumers === "none" ? "does not wait for the gateways that serve it" : null,
  ].filter((rule) => rule !== null);
  return rules.length === 0 ? [] : [`  ${path}: ${rules.join("; ")}`];
}

function windowLines({ windows, timeZone, opening }: DeviceAnswer): string[] {
  if (opening === null) return [];
  const [from, to] = [opening.fromMs, opening.toMs].map((at) => new Date(at).toISOString());
  const next = opening.fromMs <= Date.now() ? `open until ${to}` : `next ${from} to ${to}`;
  return [...windows.map((window) => `  window ${windowText(window)} ${timeZone}`), `  ${next}`];
}

/** What the edge last said about an account: its state, and the code where there is one. */
export function reportedText({ reported }: Pick<AccountAnswer, "reported">): string {
  if (reported === null) return "nothing yet";
  return [reported.state, reported.code === null ? null : `(${reported.code})`].filter((word) => word !== null).join(" ");
}
