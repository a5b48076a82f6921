import { type Entry, makeEntry } from "../../../protocol/bundle/index.ts";
import {
  type AccountContent,
  type ApplicationContent,
  type Content,
  type CredentialContent,
  type DeviceContent,
  encodeContent,
  type FactContent,
  makeFields,
  type OrderContent,
} from "../../../protocol/content/index.ts";

export const id = (byte: number) => new Uint8Array(16).fill(byte);
export const hash = (byte: number) => new Uint8Array(32).fill(byte);
export const text = (value: string) => new TextEncoder().encode(value);
export const at = (number: number, epoch = 1) => ({ epoch, number });

export const device: DeviceContent = {
  kind: "device",
  name: "Main switch",
  zone: "line-4",
  model: "generic-snmpv3",
  host: "10.0.4.9",
  port: 161,
  settings: new Map([
    ["context", ""],
    ["unitId", "7"],
  ]),
  timeZone: "Europe/Berlin",
  windows: [
    { days: 0b001_1111, startMinute: 22 * 60, minutes: 360 },
    { days: 127, startMinute: 0, minutes: 1 },
  ],
  held: true,
};
export const account: AccountContent = {
  kind: "account",
  deviceId: id(1),
  path: "line-4/main-switch/admin",
  username: "admin",
  rotate: "interval",
  intervalS: 86_400,
  windowless: true,
  fingerprintKey: hash(2),
  breakGlass: true,
  group: id(6),
  reconcileBy: id(7),
  rotateOn: 3,
  consumersReady: false,
};
export const order: OrderContent = { kind: "order", accountId: id(2), action: "rotate", cause: "operator", now: false };
export const credential: CredentialContent = {
  kind: "credential",
  accountId: id(2),
  index: at(4),
  role: "pool",
  fields: makeFields([
    ["privPassword", text("p")],
    ["authPassword", text("a")],
  ]),
  fingerprint: hash(3),
};
export const application: ApplicationContent = {
  kind: "application",
  name: "historian",
  tokenHash: hash(4),
  uid: null,
  grants: ["line-4/**", "line-5/*/reader"],
  disabled: false,
  person: false,
};
export const contents: readonly Content[] = [
  device,
  account,
  { ...device, timeZone: "UTC", windows: [], held: false },
  { ...account, rotate: "never", intervalS: null, username: "", group: null, reconcileBy: null, rotateOn: 0 },
  credential,
  application,
  { ...application, tokenHash: null, uid: 1001, grants: [], disabled: true, person: true },
  order,
  { ...order, action: "verify", cause: "fleet", now: true },
  { ...order, action: "reconcile" },
  { kind: "tombstone", type: 3, id: id(2), upTo: at(9) },
  { kind: "conduit", nodeId: new Uint8Array(20).fill(5), name: "edge-1" },
  { kind: "certificate", chain: [text("own"), text("issuer")] },
  { kind: "lease", applicationId: id(4), pattern: "line-4/*/admin" },
  { kind: "freshness", pattern: "line-4/**", staleAfterS: 86_400, whenStale: "warn", ttlS: null, memoryOnly: true },
  {
    kind: "freshness",
    pattern: "*/main-switch/admin",
    staleAfterS: null,
    whenStale: "deny",
    ttlS: 315_360_000,
    memoryOnly: false,
  },
  { kind: "model", name: "acme-valve", yaml: "name: acme-valve\nadapter: modbus\n" },
];
export const facts: readonly FactContent[] = [
  { kind: "inert", type: 99, id: id(1), code: "CONTENT_UNKNOWN_TYPE" },
  {
    kind: "rotation",
    accountId: id(2),
    index: at(5),
    fingerprint: hash(3),
    state: "VERIFIED",
    outcome: null,
    at: { lo: 5, hi: null },
    leaf: { serial: 1, index: 77 },
  },
  { kind: "identity", deviceId: id(1), identity: "" },
  { kind: "order-outcome", orderId: id(3), outcome: "done", code: null },
  { kind: "alarm", code: "REVERTED", subject: "line-4/main-switch/admin", at: { lo: 5, hi: 9 } },
  { kind: "audit", size: 12, eventsSinceAnchor: 3 },
  { kind: "consumer-ack", accountId: id(2), index: at(5) },
  { kind: "person-read", accountId: id(2), index: at(5), applicationId: id(4) },
  { kind: "alarm-end", code: "AUDIT_SPACE_LOW", subject: "the disk", at: { lo: 5, hi: null } },
];

/** An entry that says `content`; credentials and orders of the sample account unless it says otherwise. */
export function entryOf(
  content: Content,
  entryId: Uint8Array,
  number = 1,
  window = content.kind === "order" || content.kind === "lease",
): Entry {
  const authority = window ? { notBefore: 1, notAfter: 2 } : null;
  return makeEntry({ ...encodeContent(content), id: entryId, index: at(number), authority, salt: id(0) });
}

/** An entry of any type and payload. */
export function rawEntry(type: number, payload: Uint8Array, entryId = id(9)): Entry {
  return makeEntry({ type, payload, id: entryId, index: at(1), authority: null, salt: id(0) });
}
