import type { ForwardedEvent, Speaker } from "./event.ts";
import type { Severity } from "./severity.ts";
import { maxSyslogBytes, syslogHeader } from "./syslog.ts";
import { cut, visible } from "./text.ts";

/** 0 to 3 low, 4 to 6 medium, 7 and 8 high, 9 and 10 very high. */
const levels: Readonly<Record<Severity, number>> = {
  alert: 10,
  critical: 9,
  error: 7,
  warning: 5,
  notice: 3,
  informational: 1,
};

/** Lengths of the CEF dictionary, characters. */
const most = {
  act: 63,
  outcome: 63,
  dvchost: 100,
  deviceExternalId: 255,
  externalId: 40,
  suser: 1023,
  duser: 1023,
  reason: 1023,
  msg: 1023,
};
const mostCustom = 4000;

/** A CEF:0 line, ArcSight's dictionary; keys that it has no word for are custom strings with a label. */
export function cefMessage(event: ForwardedEvent, speaker: Speaker): string {
  const { leaf, severity, origin, hash, atMs } = event;
  const { action, actor, subject, outcome, code, details } = leaf;
  const head = ["CEF:0", "Tidegate", `Tidegate ${speaker.role}`, speaker.version, action, action.replace(/[.-]/g, " ")];
  const fields: [key: string, value: string][] = [
    ["rt", String(atMs)],
    ["dvchost", cut(speaker.name, most.dvchost)],
    ["deviceExternalId", cut(leaf.node, most.deviceExternalId)],
    ["externalId", cut(String(leaf.index), most.externalId)],
    ["act", cut(action, most.act)],
    ["outcome", cut(outcome, most.outcome)],
    ["suser", cut(actor.id, most.suser)],
    ["duser", cut(subject.id, most.duser)],
    ...(code === null ? [] : [["reason", cut(code, most.reason)] as [string, string]]),
    ["cn1Label", "leafIndex"],
    ["cn1", String(leaf.index)],
    ...custom(1, "logOrigin", origin),
    ...custom(2, "leafHash", hash),
    ...custom(3, "actorKind", actor.kind),
    ...custom(4, "subjectKind", subject.kind),
    ["msg", cut(detailText(details), most.msg)],
  ];
  return `${[...head.map(headerValue), levels[severity]].join("|")}|${fields.map(([key, value]) => `${key}=${fieldValue(value)}`).join(" ")}`;
}

/** {@link cefMessage} as the text of an RFC 5424 message without structured data. */
export function cefSyslogMessage(event: ForwardedEvent, speaker: Speaker): string {
  const message = `${syslogHeader(event, speaker)} - ${cefMessage(event, speaker)}`;
  if (Buffer.byteLength(message) <= maxSyslogBytes) return message;
  // Only ids full of escapes are so long: what comes first is what names the event.
  const bytes = Buffer.from(message).subarray(0, maxSyslogBytes);
  return bytes
    .toString("utf8")
    .replace(/\ufffd+$/, "")
    .replace(/\\+$/, "");
}

function custom(number: 1 | 2 | 3 | 4, label: string, value: string): [string, string][] {
  return [
    [`cs${number}Label`, label],
    [`cs${number}`, cut(value, mostCustom)],
  ];
}

function detailText(details: ForwardedEvent["leaf"]["details"]): string {
  return Object.entries(details)
    .map(([name, value]) => `${name}: ${value}`)
    .join(", ");
}

/** Backslash and pipe are escaped in the header, where no line may end. */
function headerValue(text: string): string {
  return visible(text).replace(/[\\|]/g, "\\$&");
}

/** Backslash and equals sign are escaped in the extension, and a line's end is `\n` or `\r`. */
function fieldValue(text: string): string {
  return text
    .split(/([\n\r])/)
    .map((part) => lineEnds[part] ?? visible(part).replace(/[\\=]/g, "\\$&"))
    .join("");
}

const lineEnds: Readonly<Record<string, string | undefined>> = { "\n": "\\n", "\r": "\\r" };
