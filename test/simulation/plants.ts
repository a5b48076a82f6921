import { zoneOf } from "./build-plant.ts";
import type { DeviceKind } from "./device-kind.ts";
import type { Plan, PlannedAccount, PlannedDevice } from "./world.ts";

const window = { windowS: 60, durationS: 60 } as const;

/** Makes of devices. */
const kinds = {
  patient: { model: "sim-patient", tries: null, scope: "account", ...window, settleMs: 5_000, delta: false },
  usual: { model: "sim-usual", tries: 5, scope: "account", ...window, settleMs: 5_000, delta: false },
  strict: { model: "sim-strict", tries: 3, scope: "account", ...window, settleMs: 3_000, delta: false },
  shared: { model: "sim-shared", tries: 5, scope: "device", ...window, settleMs: 5_000, delta: false },
  keyChange: { model: "sim-key-change", tries: 4, scope: "account", ...window, settleMs: 5_000, delta: true },
  secretive: {
    model: "sim-secretive",
    tries: "unknown",
    scope: "account",
    windowS: 600,
    durationS: 600,
    settleMs: 2_000,
    delta: false,
  },
} as const satisfies Readonly<Record<string, DeviceKind>>;

function account(name: string, rotate: PlannedAccount["rotate"], intervalS: number | null = null): PlannedAccount {
  return { name, rotate, intervalS, password: `first${name.padEnd(7, "x")}`.slice(0, 12) };
}

function device(edge: number, name: string, kind: DeviceKind, ...accounts: readonly PlannedAccount[]): PlannedDevice {
  return { zone: zoneOf(edge), name, kind, accounts };
}

const operator = account("operator", "on-demand");

/** The plants that seeds play in. */
export const plans: readonly Plan[] = [
  { name: "one strict device", edges: 1, consumers: false, devices: [device(1, "pump", kinds.strict, operator)] },
  { name: "one usual device", edges: 1, consumers: false, devices: [device(1, "pump", kinds.usual, operator)] },
  {
    name: "a device that is read at the gateway",
    edges: 1,
    consumers: true,
    devices: [device(1, "pump", kinds.usual, operator)],
  },
  { name: "a device with key changes", edges: 1, consumers: false, devices: [device(1, "agent", kinds.keyChange, operator)] },
  {
    name: "a device with two logins and one lockout",
    edges: 1,
    consumers: false,
    devices: [device(1, "meter", kinds.shared, operator, account("viewer", "on-demand"))],
  },
  {
    name: "a device that rotates by itself",
    edges: 1,
    consumers: false,
    devices: [device(1, "meter", kinds.patient, account("operator", "interval", 120))],
  },
  {
    name: "a device of which nobody knows the lockout, and one that is never rotated",
    edges: 1,
    consumers: false,
    devices: [device(1, "relay", kinds.secretive, operator), device(1, "panel", kinds.usual, account("panel", "never"))],
  },
  {
    name: "a device that needs a permit",
    edges: 1,
    consumers: true,
    requirePermit: true,
    devices: [device(1, "pump", kinds.usual, operator)],
  },
  {
    name: "two edges",
    edges: 2,
    consumers: true,
    devices: [device(1, "pump", kinds.strict, operator), device(2, "meter", kinds.usual, operator)],
  },
  {
    name: "three edges",
    edges: 3,
    consumers: false,
    devices: [
      device(1, "pump", kinds.usual, operator),
      device(2, "agent", kinds.keyChange, operator),
      device(3, "meter", kinds.shared, operator, account("viewer", "on-demand")),
    ],
  },
];
