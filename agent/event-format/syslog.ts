import { assert } from "../../protocol/base/index.ts";
import { type ForwardedEvent, type Speaker, timeText } from "./event.ts";
import type { Severity } from "./severity.ts";
import { cut, visible } from "./text.ts";

/**
 * Longest message, octets: what RFC 5425 section 4.3.1 wants every receiver to process, and what rsyslog takes unless told otherwise.
 * A leaf of ours has a few hundred; one that would not fit is cut, and says so.
 */
export const maxSyslogBytes = 8192;

/** "log audit" of RFC 5424 table 1. */
const facility = 13;

/** RFC 5424 table 2. */
const levels: Readonly<Record<Severity, number>> = {
  alert: 1,
  critical: 2,
  error: 3,
  warning: 4,
  notice: 5,
  informational: 6,
};

/** Names our structured data. We have no enterprise number of our own; 32473 is kept for documentation by RFC 5612. */
const dataId = "tidegate@32473";

/** An RFC 5424 message: place, hash and parties as structured data, and as its text the leaf's exact bytes. */
export function syslogMessage(event: ForwardedEvent, speaker: Speaker): string {
  const { leaf, text } = event;
  const head = `${syslogHeader(event, speaker)} ${timeQuality(event)}`;
  const data = [
    ["origin", event.origin],
    ["index", String(leaf.index)],
    ["hash", event.hash],
    ["node", leaf.node],
    ["actorKind", leaf.actor.kind],
    ["actor", leaf.actor.id],
    ["subjectKind", leaf.subject.kind],
    ["subject", leaf.subject.id],
    ["outcome", leaf.outcome],
    ...(leaf.code === null ? [] : [["code", leaf.code]]),
  ].map(([name = "", value = ""]) => `${name}="${paramValue(value)}"`);
  const whole = `${head}[${dataId} ${data.join(" ")}] ${text}`;
  if (Buffer.byteLength(whole) <= maxSyslogBytes) return whole;
  const start = `${head}[${dataId} ${data.join(" ")} truncated="true"] `;
  const room = maxSyslogBytes - Buffer.byteLength(start);
  assert(room > 0, "header and structured data fit into a message");
  return start + text.slice(0, room);
}

/** PRI to MSGID. `PROCID` is left out: a node is one process, and its run is in the leaf. */
export function syslogHeader(event: ForwardedEvent, { name, role }: Speaker): string {
  const { leaf, severity } = event;
  const host = printable(name, 255);
  return `<${facility * 8 + levels[severity]}>1 ${timeText(event)} ${host} tidegate-${role} - ${printable(leaf.action, 32)}`;
}

/** A bounded interval is a clock that somebody vouched for. */
function timeQuality({ leaf }: ForwardedEvent): string {
  return `[timeQuality tzKnown="1" isSynced="${leaf.time[1] === null ? 0 : 1}"]`;
}

/** RFC 5424 section 6.3.3. */
function paramValue(text: string): string {
  return visible(text).replace(/["\\\]]/g, "\\$&");
}

/** PRINTUSASCII. */
function printable(text: string, most: number): string {
  return cut(text.replace(/[^\x21-\x7e]/g, "_"), most) || "-";
}
