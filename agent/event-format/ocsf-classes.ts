import type { Leaf } from "../../protocol/audit/index.ts";

/** An event class of OCSF 1.2.0; its uid is its category's times 1000 and a number within it. */
export const ocsfClasses = {
  base: { uid: 0, name: "Base Event" },
  detection: { uid: 2004, name: "Detection Finding" },
  account: { uid: 3001, name: "Account Change" },
  authentication: { uid: 3002, name: "Authentication" },
  entity: { uid: 3004, name: "Entity Management" },
  access: { uid: 3005, name: "User Access Management" },
  lifecycle: { uid: 6002, name: "Application Lifecycle" },
  api: { uid: 6003, name: "API Activity" },
} as const;

export type OcsfClassName = keyof typeof ocsfClasses;

/** What an action is in OCSF's words; activity 99 is one that the class has no number for, and is named by the action's verb. */
export interface OcsfKind {
  readonly class: OcsfClassName;
  readonly activity: number;
}

const other = 99;

/** Activities of a class by an action's verb. */
const activities: Partial<Readonly<Record<OcsfClassName, Readonly<Record<string, number>>>>> = {
  // Password Change is every step of a rotation after which the device may have another password.
  account: { add: 1, sent: 3, "new-ok": 3, saved: 3, verified: 3, rejected: 3, unknown: 3, given: 3, set: 3, remove: 6 },
  authentication: { accept: 1, deny: 1 },
  entity: { add: 1, create: 1, issue: 1, change: 3, set: 3, rekey: 3, accept: 3, remove: 4, revoke: 4, decommission: 4 },
  access: { grant: 1, open: 1, approve: 1, revoke: 2, deny: 2 },
  lifecycle: { start: 3, stop: 4 },
  api: { read: 2, show: 2, recover: 2 },
  detection: { clear: 3 },
};

/** Classes by an action's noun. */
const byNoun: Readonly<Record<string, OcsfClassName>> = {
  account: "entity",
  alarm: "detection",
  application: "entity",
  code: "entity",
  configuration: "entity",
  device: "entity",
  freshness: "entity",
  lease: "access",
  login: "authentication",
  model: "entity",
  node: "entity",
  request: "access",
  root: "entity",
  rotation: "account",
  zone: "entity",
};

/** Actions that are of another class than their noun. */
const byAction: Readonly<Record<string, OcsfClassName>> = {
  "application.grant": "access",
  "application.revoke": "access",
  "audit.fork": "detection",
  "clock.setback": "detection",
  "credential.read": "api",
  "credential.recover": "api",
  "credential.set": "account",
  "credential.show": "api",
  "node.clone": "detection",
  "node.start": "lifecycle",
  "node.stop": "lifecycle",
  "root.fork": "detection",
  "stream.fork": "detection",
};

/** The class and activity of an action, known or not. */
export function ocsfKindOf({ action }: Pick<Leaf, "action">): OcsfKind {
  const [noun = "", verb = ""] = action.split(".");
  const name = own(byAction, action) ?? own(byNoun, noun) ?? "base";
  // A detection is a new one unless it says otherwise.
  const usual = name === "detection" ? 1 : other;
  return { class: name, activity: own(activities[name] ?? {}, verb) ?? usual };
}

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
