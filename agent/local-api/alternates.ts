import { concat } from "../../protocol/base/index.ts";
import { wipeFields } from "../../protocol/content/index.ts";
import type { AlternateValue } from "./contracts.ts";
import { fieldsJson } from "./fields-json.ts";

/**
 * An answer with `alternates` behind its other members, in a new buffer; the old one is wiped. Built of bytes, as strings that held a
 * secret could not be wiped, and not kept: alternates are asked for while a password changes.
 */
export function withAlternates(answer: Buffer, alternates: readonly AlternateValue[]): Buffer {
  const parts: Uint8Array[] = [answer.subarray(0, -1), Buffer.from(',"alternates":[')];
  for (const [place, alternate] of alternates.entries()) {
    const fields = alternate.openFields();
    const { json, password } = fieldsJson(fields);
    wipeFields(fields);
    parts.push(Buffer.from(`${place === 0 ? "" : ","}{"version":${JSON.stringify(alternate.version)},"fields":`), json);
    if (password !== null) parts.push(Buffer.from(',"password":'), json.slice(password.from, password.to));
    parts.push(Buffer.from("}"));
  }
  parts.push(Buffer.from("]}"));
  const body = Buffer.from(concat(...parts).buffer);
  for (const part of parts) part.fill(0);
  answer.fill(0);
  return body;
}
