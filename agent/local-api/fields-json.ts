import { isUtf8 } from "node:buffer";
import { concat } from "../../protocol/base/index.ts";
import type { Fields } from "../../protocol/content/index.ts";

/** Where a value stands in the fields' JSON. */
export interface FieldRange {
  readonly from: number;
  readonly to: number;
}

/** The fields as a JSON object, and where `password` has its value. Built of bytes: a string that held a secret could not be wiped. */
export function fieldsJson(fields: Fields): { json: Uint8Array; password: FieldRange | null } {
  const parts: Uint8Array[] = [];
  let length = 0;
  let password: FieldRange | null = null;
  for (const [index, { name, value }] of fields.entries()) {
    const label = Buffer.from(`${index === 0 ? "{" : ","}${JSON.stringify(name)}:`);
    const text = valueJson(value);
    parts.push(label, text);
    length += label.length + text.length;
    if (name === "password") password = { from: length - text.length, to: length };
  }
  parts.push(Buffer.from("}"));
  const json = concat(...parts);
  for (const part of parts) part.fill(0);
  return { json, password };
}

const quote = 0x22;
const backslash = 0x5c;
const firstPrintable = 0x20;
const hexDigits = Buffer.from("0123456789abcdef");

/** A field's value as a JSON string; `{"base64": …}` where it is not UTF-8. */
function valueJson(value: Uint8Array): Uint8Array {
  if (!isUtf8(value)) return Buffer.from(`{"base64":"${Buffer.from(value).toString("base64")}"}`);
  const out: number[] = [quote];
  for (const byte of value) {
    if (byte === quote || byte === backslash) out.push(backslash, byte);
    else if (byte < firstPrintable) out.push(...Buffer.from("\\u00"), hexDigits[byte >> 4] ?? 0, hexDigits[byte & 15] ?? 0);
    else out.push(byte);
  }
  out.push(quote);
  const bytes = Uint8Array.from(out);
  out.fill(0);
  return bytes;
}
