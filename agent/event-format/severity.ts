import type { AuditAction, Leaf, Outcome } from "../../protocol/audit/index.ts";

/** How grave an event is, the gravest first: each format spells it in numbers of its own. */
export const severities = ["alert", "critical", "error", "warning", "notice", "informational"] as const;
export type Severity = (typeof severities)[number];

/** What an outcome alone says. */
const byOutcome: Readonly<Record<Outcome, Severity>> = {
  ok: "informational",
  unknown: "notice",
  denied: "warning",
  failed: "error",
};

/**
 * Actions that say more than their outcome. Alert: two histories of something that has one. Critical: a person is needed. Warning: it
 * may be an attack, or lead to loss. Notice: who may do what has changed, or what a person should know of.
 */
const byAction: Partial<Readonly<Record<AuditAction, Severity>>> = {
  "audit.fork": "alert",
  "audit.reopen": "alert",
  "root.fork": "alert",
  "stream.fork": "alert",
  "node.clone": "alert",
  "node.quarantine": "critical",
  "rotation.unknown": "critical",
  "alarm.raise": "critical",
  "audit.gap": "error",
  "forward.gap": "error",
  "clock.setback": "warning",
  "credential.recover": "warning",
  "credential.show": "warning",
  "device.hold": "warning",
  "fleet.stop": "warning",
  "login.deny": "warning",
  "mailbox.drop": "warning",
  "node.decommission": "warning",
  "node.revoke": "warning",
  "rotation.held": "warning",
  "rotation.reverted": "warning",
  "stream.stale": "warning",
  "vault.restore": "warning",
  "account.add": "notice",
  "account.change": "notice",
  "alarm.clear": "notice",
  "application.add": "notice",
  "application.disable": "notice",
  "application.grant": "notice",
  "application.revoke": "notice",
  "application.token": "notice",
  "audit.archive": "notice",
  "audit.epoch": "notice",
  "audit.export": "notice",
  "code.burn": "notice",
  "code.issue": "notice",
  "configuration.change": "notice",
  "credential.set": "notice",
  "device.add": "notice",
  "device.adopt": "notice",
  "device.change": "notice",
  "device.release": "notice",
  "fleet.start": "notice",
  "freshness.remove": "notice",
  "freshness.set": "notice",
  "lease.open": "notice",
  "lease.revoke": "notice",
  "media.read": "notice",
  "media.write": "notice",
  "model.add": "notice",
  "node.enroll": "notice",
  "node.join": "notice",
  "node.rekey": "notice",
  "node.release": "notice",
  "node.start": "notice",
  "node.stop": "notice",
  "root.accept": "notice",
  "root.create": "notice",
  "rotation.permit": "notice",
  "rotation.released": "notice",
  "rotation.verified": "notice",
  "vault.backup": "notice",
  "vault.init": "notice",
  "vault.unlock": "notice",
  "zone.add": "notice",
};

/** The gravest of what action, outcome and, for a start, the last stop say. An action that is not known goes by its outcome. */
export function severityOf({ action, outcome, details }: Pick<Leaf, "action" | "outcome" | "details">): Severity {
  const known: Readonly<Record<string, Severity | undefined>> = byAction;
  const said = [byOutcome[outcome], Object.hasOwn(known, action) ? known[action] : undefined];
  if (action === "node.start" && details["lastStop"] === "crash") said.push("warning");
  return severities.find((each) => said.includes(each)) ?? "informational";
}
