import type { Leaf } from "../../protocol/audit/index.ts";
import type { ForwardedEvent, Speaker } from "./event.ts";
import { type OcsfClassName, ocsfClasses, ocsfKindOf } from "./ocsf-classes.ts";
import type { Severity } from "./severity.ts";
import { asciiJson } from "./text.ts";

/** The version of the schema that the events fit; readers of later ones take them too. */
const schemaVersion = "1.2.0";

const levels: Readonly<Record<Severity, number>> = {
  alert: 5,
  critical: 4,
  error: 3,
  warning: 2,
  notice: 1,
  informational: 1,
};

/** The largest value of an OCSF integer_t. */
const maxInteger = 2 ** 31 - 1;

/** One OCSF event as a line of JSON, with the leaf's exact text as `raw_data`. */
export function ocsfLine(event: ForwardedEvent, speaker: Speaker): string {
  return asciiJson(JSON.stringify(ocsfEvent(event, speaker)));
}

function ocsfEvent(event: ForwardedEvent, speaker: Speaker): object {
  const { leaf, origin, hash, severity, atMs, text } = event;
  const { class: name, activity } = ocsfKindOf(leaf);
  const { uid, name: caption } = ocsfClasses[name];
  const verb = leaf.action.split(".")[1];
  return {
    metadata: {
      version: schemaVersion,
      product: { name: "Tidegate", vendor_name: "Tidegate", version: speaker.version, feature: { name: speaker.role } },
      uid: `${origin}#${leaf.index}`,
      ...(leaf.index <= maxInteger ? { sequence: leaf.index } : {}),
      event_code: leaf.action,
      log_name: origin,
    },
    time: atMs,
    category_uid: Math.floor(uid / 1000),
    class_uid: uid,
    class_name: caption,
    activity_id: activity,
    ...(activity === 99 ? { activity_name: verb } : {}),
    type_uid: uid * 100 + activity,
    severity_id: levels[severity],
    ...statusOf(leaf, name, activity),
    message: `${leaf.action} ${leaf.subject.kind} ${leaf.subject.id}: ${leaf.outcome}`,
    ...objectsOf(event, name, speaker),
    raw_data: text,
    unmapped: {
      index: leaf.index,
      leaf_hash: hash,
      node: leaf.node,
      actor_kind: leaf.actor.kind,
      actor: leaf.actor.id,
      subject_kind: leaf.subject.kind,
      subject: leaf.subject.id,
      details: leaf.details,
    },
  };
}

/** A finding's status says whether somebody looked at it; everybody else's how it went. */
function statusOf({ outcome, code }: Leaf, name: OcsfClassName, activity: number): object {
  const went = outcome === "ok" ? 1 : outcome === "unknown" ? 0 : 2;
  const status_id = name === "detection" ? (activity === 3 ? 4 : 1) : went;
  return { status_id, ...(code === null ? {} : { status_code: code }) };
}

/** What the class asks for. Where it has no actor of its own, `unmapped` names who it was. */
function objectsOf({ leaf, origin }: ForwardedEvent, name: OcsfClassName, speaker: Speaker): object {
  const { action, subject, details } = leaf;
  const actor = actorOf(leaf.actor);
  const user = { name: subject.id, type_id: 99, type: subject.kind };
  const service = { name: `tidegate-${speaker.role}`, uid: leaf.node };
  switch (name) {
    case "base":
      return {};
    case "detection":
      return { finding_info: { title: action, uid: `${origin}#${leaf.index}` } };
    case "account":
      return { actor, user };
    case "authentication":
      return { actor, user: { name: leaf.actor.id, type_id: 99, type: leaf.actor.kind }, service };
    case "entity":
      return { actor, entity: { name: subject.id, type: subject.kind } };
    case "access":
      return { user, privileges: [String(details["pattern"] ?? details["leaseId"] ?? details["requestId"] ?? action)] };
    case "lifecycle":
      return { app: { name: service.name, vendor_name: "Tidegate", version: speaker.version, uid: leaf.node } };
    case "api":
      return {
        actor,
        api: { operation: action, service },
        src_endpoint: { name: leaf.actor.id },
        resources: [{ name: subject.id, type: subject.kind }],
      };
  }
}

/** People are users; everything else that acts is a program. */
function actorOf({ kind, id }: Leaf["actor"]): object {
  if (kind === "person" || kind === "operator") return { user: { name: id, type_id: 1 } };
  return { app_name: id };
}
