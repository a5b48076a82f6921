import { type ForwardedEvent, type Speaker, timeText } from "./event.ts";
import { asciiJson } from "./text.ts";

/** A JSON object around the leaf's exact bytes: SHA-256 of 0x00 and the value of `leaf`, as it stands, is `hash`. */
export function jsonLine(event: ForwardedEvent, { name, role }: Speaker): string {
  const { leaf, text, origin, hash, severity } = event;
  const time = timeText(event);
  const around = asciiJson(JSON.stringify({ origin, index: leaf.index, hash, severity, time, name, role }));
  return `${around.slice(0, -1)},"leaf":${text}}`;
}
