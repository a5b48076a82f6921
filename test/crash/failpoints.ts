import { type AdapterKind, adapters } from "./devices.ts";
import type { ScenarioName } from "./scenarios.ts";

/** One failpoint of one process, met on the way of one adapter's account. */
export interface Cell {
  readonly failpoint: string;
  readonly adapter: AdapterKind;
  readonly node: "edge" | "vault";
  /** What makes the process pass it. */
  readonly scenario: ScenarioName;
  /** How often a scenario passes it at least: a different one of these is chosen each time. */
  readonly passes: number;
}

interface Place {
  readonly node: Cell["node"];
  /** `area.what`; before and after it the process is killed. */
  readonly names: readonly string[];
  readonly scenario: ScenarioName;
  readonly passes?: number;
  /** Adapters with which it cannot occur, and why. */
  readonly never?: Partial<Record<AdapterKind, string>>;
}

const places: readonly Place[] = [
  {
    node: "edge",
    scenario: "rotate",
    names: [
      "rotation.staged",
      "rotation.preflight",
      "rotation.sent",
      "rotation.record",
      "rotation.probe",
      "rotation.new-ok",
      "rotation.save",
      "rotation.saved",
      "rotation.reverify",
      "rotation.verified",
      "rotation.acknowledged",
    ],
  },
  { node: "edge", scenario: "rotate", names: ["store.commit"], passes: 16 },
  { node: "edge", scenario: "read", names: ["store.sync"] },
  { node: "edge", scenario: "restart", names: ["audit.checkpoint"] },
  { node: "edge", scenario: "verify", names: ["rotation.verify", "rotation.proven"] },
  { node: "edge", scenario: "hold", names: ["rotation.cancelled"] },
  { node: "edge", scenario: "revert", names: ["rotation.reverted"] },
  { node: "edge", scenario: "surprise", names: ["rotation.unknown"] },
  { node: "edge", scenario: "retry", names: ["rotation.retried"] },
  { node: "edge", scenario: "give", names: ["rotation.given"] },
  {
    node: "edge",
    scenario: "refuse",
    names: ["rotation.rejected"],
    never: {
      snmp: "snmpd takes every value that the model allows",
      ssh: "this machine's passwd takes every value that the model allows",
      "ssh-admin": "root's chpasswd takes every value",
    },
  },
  {
    node: "edge",
    scenario: "reconcile",
    names: ["rotation.reconcile"],
    never: {
      ssh: "passwd asks for the old password; an account that an admin sets is what ssh-admin is",
      modbus: "the meter has one account",
    },
  },
  { node: "vault", scenario: "rotate", names: ["vault.commit", "vault.ingest", "vault.issue"], passes: 3 },
];

/** Failpoints of which no kill is asked with any adapter, and why. */
export const unreachable: Readonly<Record<string, string>> = {
  "rotation.held": "a quarantine begins with a fork or a store that went back, never with a kill",
  "rotation.released": "ends a quarantine",
  "rotation.restored": "a store from a backup, which no edge of this version opens",
};

/** Every pair of failpoint and adapter in which a kill is asked. */
export function allCells(): Cell[] {
  return places.flatMap(({ node, names, scenario, passes = 1, never = {} }) =>
    adapters.flatMap((adapter) =>
      never[adapter] !== undefined
        ? []
        : names.flatMap((name) =>
            ["before", "after"].map((side) => ({ failpoint: name.replace(".", `.${side}-`), adapter, node, scenario, passes })),
          ),
    ),
  );
}

/** The name of every failpoint at which a kill is asked. */
export function allFailpoints(): string[] {
  return [...new Set(allCells().map(({ failpoint }) => failpoint))];
}

/** Why this failpoint is not passed with this adapter, or null. */
export function neverReason(failpoint: string, adapter: AdapterKind): string | null {
  const name = failpoint.replace(/\.(before|after)-/, ".");
  return places.find(({ names }) => names.includes(name))?.never?.[adapter] ?? null;
}
