import type { AuditEvent } from "../../protocol/audit/index.ts";

/**
 * Events that can wait for room on the disk, or be left out. Everything else is always written: rotations above all, what the vault sends and
 * is sent, the log's own events, alarms, starts and stops.
 */
export type EventClass = "reads" | "administration" | "noise";

/** What frees the disk, or stops what is under way, must not wait for it. */
const always = /^(audit|configuration|vault|rotation|order|lease|node|alarm|fleet)\.|\.(hold|revoke|disable|deny|stop)$/;
/** What anybody who reaches a node can bring about as often as he likes. */
const noise = /^(tunnel|login)\./;

/** The class of an event; null for what is always written. */
export function eventClassOf({ action, actor, outcome }: Pick<AuditEvent, "action" | "actor" | "outcome">): EventClass | null {
  if (action === "credential.read") return outcome === "ok" ? "reads" : "noise";
  if (noise.test(action)) return "noise";
  const byPerson = actor.kind === "operator" || actor.kind === "person";
  return byPerson && !always.test(action) ? "administration" : null;
}
