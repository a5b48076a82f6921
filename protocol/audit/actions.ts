/** How a detail's value is spelt in a leaf: text of at most 256 characters, an unsigned integer, or true and false. */
export type DetailKind = "text" | "uint" | "flag";

/** Details that every arrow of the rotation machine may have: index of the value, attempts, and what the device answered in words. */
const rotationDetails = {
  epoch: "uint",
  number: "uint",
  attempt: "uint",
  budgetLeft: "uint",
  orderId: "text",
  says: "text",
} as const;

/** What every leaf about a removable medium tells of it. */
const mediumDetails = {
  writeId: "text",
  writer: "text",
  mediaId: "text",
  label: "text",
  size: "uint",
  person: "text",
  items: "uint",
  bytes: "uint",
  ids: "text",
} as const;

/** What a leaf tells of a copy of the log on a medium: the entries that it holds, and how far back the node was freed of them. */
const exportDetails = {
  from: "uint",
  size: "uint",
  until: "uint",
  mediaId: "text",
  label: "text",
  mediaSize: "uint",
  person: "text",
  bytes: "uint",
  readBackFrom: "text",
} as const;

/**
 * What a leaf can be about, and the only details that it may hold: this list is the allow-list that keeps secrets out. Times are
 * milliseconds. A new action or detail is a new line here; readers accept any `noun.verb`, so old verifiers read newer logs.
 */
export const AUDIT_ACTIONS = {
  // The log itself.
  "audit.epoch": { epoch: "uint", from: "uint", key: "text", signature: "text" },
  "audit.gap": { count: "uint", reason: "text", class: "text", fromMs: "uint", toMs: "uint" },
  "audit.reopen": { reason: "text", oldSerial: "uint", oldSize: "uint", oldRoot: "text", ackedSize: "uint", ackedRoot: "text" },
  // `unknown` before it goes out, then how it ended.
  "audit.export": exportDetails,
  // As an export; once it is `ok`, entries before `until` lie on media only.
  "audit.archive": exportDetails,
  "audit.fork": { size: "uint", serial: "uint" },
  // Leaves that a collector of events never got: archived before, or not to be read. `from` is the first.
  "forward.gap": { target: "text", from: "uint", count: "uint", reason: "text" },

  // Nodes, enrolment, trust.
  "node.start": { version: "text", role: "text", lastStop: "text", readWindowMs: "uint" },
  "node.stop": { reason: "text" },
  "node.join": { role: "text", zone: "text", joinCounter: "uint", replaces: "text" },
  "node.enroll": {
    role: "text",
    zone: "text",
    name: "text",
    via: "text",
    codeId: "text",
    serial: "uint",
    address: "text",
    count: "uint",
    spanMs: "uint",
  },
  "node.revoke": { serial: "uint", reason: "text" },
  "node.rekey": { serial: "uint" },
  "node.decommission": { reason: "text", unreported: "uint" },
  "node.quarantine": { reason: "text", epoch: "uint", sequence: "uint" },
  "node.release": { reason: "text" },
  "node.way": { way: "text" },
  "node.clone": { joinCounter: "uint", reason: "text" },
  "code.issue": { role: "text", name: "text", notAfterMs: "uint", via: "text" },
  "code.burn": { reason: "text" },
  "root.create": { version: "uint", id: "text" },
  "root.accept": { version: "uint", id: "text", vaultEpoch: "uint" },
  "root.fork": { version: "uint", id: "text" },
  "vault.init": { version: "text", rootId: "text" },
  "vault.unlock": { by: "text" },
  "vault.backup": { size: "uint" },
  "vault.restore": { vaultEpoch: "uint", tokens: "uint", leases: "uint", orders: "uint" },
  "login.accept": { method: "text", count: "uint", spanMs: "uint" },
  "login.deny": { method: "text", address: "text", count: "uint", spanMs: "uint" },

  // What the vault keeps.
  "zone.add": { name: "text" },
  "device.add": { name: "text", model: "text", host: "text", port: "uint" },
  "device.change": { field: "text", host: "text", port: "uint" },
  // The login that proves it is the order's.
  "device.adopt": { orderId: "text" },
  "device.hold": { reason: "text" },
  "device.release": { reason: "text" },
  "device.identify": { identity: "text" },
  "account.add": { username: "text", rotate: "text", intervalMs: "uint" },
  "account.change": { field: "text" },
  "freshness.set": { staleAfterS: "uint", whenStale: "text", ttlS: "uint", model: "text", memoryOnly: "flag" },
  "freshness.remove": { model: "text" },
  "application.add": { name: "text", method: "text" },
  "application.token": { name: "text" },
  "application.grant": { pattern: "text" },
  "application.revoke": { pattern: "text" },
  "application.disable": { name: "text" },
  "model.add": { name: "text" },
  "configuration.change": { field: "text" },

  // Credentials.
  "credential.set": { epoch: "uint", number: "uint" },
  "credential.issue": { epoch: "uint", number: "uint" },
  "credential.read": { count: "uint", spanMs: "uint", version: "text", stale: "flag", peerUid: "uint" },
  "credential.show": { epoch: "uint", number: "uint", history: "flag" },
  "credential.recover": { count: "uint", versions: "text" },
  "credential.switch": { epoch: "uint", number: "uint" },
  "credential.acknowledge": { epoch: "uint", number: "uint" },

  // Bundles, reports, streams, media, tunnels, time.
  "bundle.seal": { epoch: "uint", sequence: "uint", kind: "text", id: "text", entries: "uint" },
  "bundle.apply": {
    epoch: "uint",
    sequence: "uint",
    kind: "text",
    id: "text",
    entries: "uint",
    removed: "uint",
    inert: "uint",
  },
  "bundle.refuse": { epoch: "uint", sequence: "uint", id: "text" },
  "bundle.hold": { epoch: "uint", sequence: "uint", id: "text" },
  "report.seal": { epoch: "uint", sequence: "uint", kind: "text", id: "text", facts: "uint" },
  "report.ingest": { epoch: "uint", sequence: "uint", kind: "text", id: "text", facts: "uint" },
  "report.refuse": { epoch: "uint", sequence: "uint", id: "text", count: "uint", spanMs: "uint" },
  "stream.fork": { epoch: "uint", sequence: "uint", id: "text", otherId: "text" },
  "stream.stale": { silentMs: "uint" },
  "entry.inert": { type: "uint", count: "uint" },
  // What goes out or comes in on a medium: `unknown` before it is done, then how it ended. `ids` are the first 16 digits of 15 ids.
  "media.write": mediumDetails,
  "media.read": mediumDetails,
  "media.items": { writeId: "text", from: "uint", ids: "text" },
  "media.verify": { writeId: "text", readBackFrom: "text" },
  "media.taken": { writeId: "text", applied: "uint", known: "uint", held: "uint", refused: "uint" },
  "tunnel.open": { role: "text", address: "text", count: "uint", spanMs: "uint" },
  "tunnel.close": { reason: "text", count: "uint", spanMs: "uint" },
  "tunnel.refuse": { address: "text", count: "uint", spanMs: "uint" },
  "mailbox.drop": { items: "uint", upTo: "uint" },
  "clock.set": { lo: "uint", hi: "uint", wasLo: "uint" },
  "clock.setback": { lo: "uint", wasLo: "uint" },

  // Rotations.
  "order.accept": { kind: "text", orderId: "text", notBeforeMs: "uint", notAfterMs: "uint", now: "flag", operator: "text" },
  "order.refuse": { kind: "text", orderId: "text" },
  "order.withdraw": { kind: "text", orderId: "text" },
  "fleet.start": { accounts: "uint", canaries: "uint", parallel: "uint", exposedBy: "text" },
  "fleet.stop": { path: "text", done: "uint" },
  "fleet.resume": { accounts: "uint" },
  "fleet.done": { done: "uint", failed: "uint" },
  "rotation.permit": { forMs: "uint" },
  "rotation.staged": rotationDetails,
  "rotation.cancelled": rotationDetails,
  "rotation.preflight": rotationDetails,
  "rotation.sent": rotationDetails,
  "rotation.probe": rotationDetails,
  "rotation.save": rotationDetails,
  "rotation.reverify": rotationDetails,
  "rotation.verify": rotationDetails,
  "rotation.new-ok": rotationDetails,
  "rotation.saved": rotationDetails,
  "rotation.verified": rotationDetails,
  "rotation.proven": rotationDetails,
  "rotation.rejected": rotationDetails,
  "rotation.reverted": rotationDetails,
  "rotation.unknown": rotationDetails,
  "rotation.acknowledged": rotationDetails,
  "rotation.held": rotationDetails,
  "rotation.released": rotationDetails,
  "rotation.restored": rotationDetails,
  "rotation.retried": rotationDetails,
  "rotation.reconcile": rotationDetails,
  "rotation.given": rotationDetails,
  "rotation.due": { cause: "text", atMs: "uint" },
  "rotation.report": { epoch: "uint", number: "uint", state: "text", result: "text", leafSerial: "uint", leafIndex: "uint" },

  // Just-in-time access.
  "lease.open": { leaseId: "text", notAfterMs: "uint" },
  "lease.revoke": { leaseId: "text", reason: "text", attempt: "uint" },

  // Alarms that no other action names.
  "alarm.raise": { reason: "text" },
  "alarm.clear": { reason: "text" },
} as const satisfies Readonly<Record<string, Readonly<Record<string, DetailKind>>>>;

/** Who did it. `node` is one of ours by node id, `operator` a local user by uid, `person` an approver by id. */
export const ACTOR_KINDS = ["node", "application", "operator", "person", "device"] as const;

/** What it was done to. Ids are node ids, paths `zone/device/account`, hexadecimal ids or names, as each action needs. */
export const SUBJECT_KINDS = [
  "node",
  "zone",
  "device",
  "account",
  "application",
  "code",
  "fleet",
  "root",
  "model",
  "configuration",
  "stream",
  "entry",
  "media",
  "order",
  "lease",
  "log",
] as const;

/** How it went: `unknown` where it may or may not have happened (an ambiguous answer of a device). */
export const OUTCOMES = ["ok", "denied", "failed", "unknown"] as const;
