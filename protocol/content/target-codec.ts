import { asBoolean, asBytes, asList, asTuple, asUint, orNull, type Tcbor, TcborError } from "../base/index.ts";
import type { WeekWindow } from "../time/index.ts";
import type { Codec } from "./codec.ts";
import { type AccountContent, allRotateOn, type DeviceContent, rotatePolicies } from "./content.ts";
import { contentLimits } from "./limits.ts";
import { parsePath, parseSegment } from "./path.ts";
import { asName, asOneOf, asWord, inTcbor } from "./shapes.ts";

const highestPort = 65_535;
const everyDay = 0b111_1111;
const minutesPerDay = 1_440;
const settingName = /^[a-zA-Z][a-zA-Z0-9_.-]*$/;
const zoneName = /^[A-Za-z][A-Za-z0-9_+/-]*$/;

/** Devices. */
export const deviceCodec: Codec<DeviceContent> = {
  length: 9,
  encode: (c) => [
    c.name,
    c.zone,
    c.model,
    c.host,
    c.port,
    settingsToTcbor(c.settings),
    c.timeZone,
    c.windows.map(({ days, startMinute, minutes }) => [days, startMinute, minutes]),
    c.held,
  ],
  decode: ([name, zone, model, host, port, settings, timeZone, windows, held]) => ({
    kind: "device",
    name: asName(name, "device.name"),
    zone: inTcbor(zone, "device.zone", parseSegment),
    model: asName(model, "device.model"),
    host: asWord(host, "device.host", contentLimits.hostBytes),
    port: asUint(port, "device.port", highestPort),
    settings: settingsFromTcbor(settings),
    timeZone: timeZoneFromTcbor(timeZone),
    windows: asList(windows, "device.windows", contentLimits.windows).map(windowFromTcbor),
    held: asBoolean(held, "device.held"),
  }),
};

/** Accounts. */
export const accountCodec: Codec<AccountContent> = {
  length: 12,
  encode: (c) => [
    c.deviceId,
    c.path,
    c.username,
    rotatePolicies.indexOf(c.rotate),
    c.intervalS,
    c.windowless,
    c.fingerprintKey,
    c.breakGlass,
    c.group,
    c.reconcileBy,
    c.rotateOn,
    c.consumersReady,
  ],
  decode: (tuple) => {
    const [deviceId, path, username, rotate, interval, windowless, fingerprintKey, ...rest] = tuple;
    const [breakGlass, group, reconcileBy, rotateOn, consumersReady] = rest;
    const policy = asOneOf(rotate, "account.rotate", rotatePolicies);
    const intervalS = orNull(interval, (value) => asUint(value, "account.intervalS", contentLimits.intervalS));
    if ((policy === "interval") !== (intervalS !== null) || intervalS === 0)
      throw new TcborError("TCBOR_SHAPE", "account.intervalS: above zero for the policy 'interval', and only there");
    return {
      kind: "account",
      deviceId: asBytes(deviceId, "account.deviceId", 16),
      path: inTcbor(path, "account.path", parsePath),
      username: asWord(username, "account.username", contentLimits.usernameBytes, 0),
      rotate: policy,
      intervalS,
      windowless: asBoolean(windowless, "account.windowless"),
      fingerprintKey: asBytes(fingerprintKey, "account.fingerprintKey", 32),
      breakGlass: asBoolean(breakGlass, "account.breakGlass"),
      group: orNull(group, (id) => asBytes(id, "account.group", 16)),
      reconcileBy: orNull(reconcileBy, (id) => asBytes(id, "account.reconcileBy", 16)),
      rotateOn: asUint(rotateOn, "account.rotateOn", allRotateOn),
      consumersReady: asBoolean(consumersReady, "account.consumersReady"),
    };
  },
};

function settingsToTcbor(settings: ReadonlyMap<string, string>): Tcbor {
  return [...settings].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => [name, value]);
}

function settingsFromTcbor(value: Tcbor | undefined): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  let last = "";
  for (const pair of asList(value, "device.settings", contentLimits.settings)) {
    const [name, text] = asTuple(pair, "device.settings", 2);
    const key = asWord(name, "device.settings", contentLimits.settingNameBytes);
    if (!settingName.test(key) || key <= last)
      throw new TcborError("TCBOR_SHAPE", "device.settings: names are [a-zA-Z][a-zA-Z0-9_.-]* in ascending order, each once");
    settings.set(key, asWord(text, `device.settings.${key}`, contentLimits.settingValueBytes, 0));
    last = key;
  }
  return settings;
}

/** The form only: which zones there are changes with every edition of the database, and each node has its own. */
function timeZoneFromTcbor(value: Tcbor | undefined): string {
  const name = asWord(value, "device.timeZone", contentLimits.timeZoneBytes);
  if (!zoneName.test(name)) throw new TcborError("TCBOR_SHAPE", "device.timeZone: [A-Za-z][A-Za-z0-9_+/-]*");
  return name;
}

function windowFromTcbor(value: Tcbor): WeekWindow {
  const [days, startMinute, minutes] = asTuple(value, "device.windows", 3);
  const window = {
    days: asUint(days, "device.windows.days", everyDay),
    startMinute: asUint(startMinute, "device.windows.startMinute", minutesPerDay - 1),
    minutes: asUint(minutes, "device.windows.minutes", 7 * minutesPerDay),
  };
  if (window.days === 0 || window.minutes === 0)
    throw new TcborError("TCBOR_SHAPE", "device.windows: a window has a day and a minute at least");
  return window;
}
