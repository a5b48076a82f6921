import { asBytesUpTo, asList, asText, asTuple, type Tcbor, TcborError } from "../base/index.ts";
import { ContentError } from "./errors.ts";
import { contentLimits } from "./limits.ts";

/** One named secret of a credential version: `password`, `authPassword`, `privPassword`. */
export interface Field {
  readonly name: string;
  readonly value: Uint8Array;
}

/** 1 to 8 fields in ascending order of name. */
export type Fields = readonly Field[];

const nameForm = /^[a-zA-Z][a-zA-Z0-9]{0,31}$/;

/** Puts fields into order. Throws CONTENT_FIELDS_INVALID naming the field, never its value. */
export function makeFields(fields: Iterable<readonly [name: string, value: Uint8Array]>): Fields {
  const sorted = [...fields].map(([name, value]) => ({ name, value })).sort((a, b) => (a.name < b.name ? -1 : 1));
  const problem = problemOf(sorted);
  if (problem !== null) throw new ContentError("CONTENT_FIELDS_INVALID", problem);
  return sorted;
}

/** Value of the field, or null. */
export function fieldValue(fields: Fields, name: string): Uint8Array | null {
  return fields.find((field) => field.name === name)?.value ?? null;
}

/** Overwrites the values with zeros. */
export function wipeFields(fields: Fields): void {
  for (const field of fields) field.value.fill(0);
}

/** `[[name, value], …]`. */
export function fieldsToTcbor(fields: Fields): Tcbor {
  return fields.map(({ name, value }) => [name, value]);
}

/** Inverse of {@link fieldsToTcbor}; throws TCBOR_SHAPE naming `at`. */
export function fieldsFromTcbor(value: Tcbor | undefined, at: string): Fields {
  const fields = asList(value, at, contentLimits.fields).map((pair, i) => {
    const [name, bytes] = asTuple(pair, `${at}[${i}]`, 2);
    return { name: asText(name, `${at}[${i}]`, 32), value: asBytesUpTo(bytes, `${at}[${i}]`, contentLimits.fieldBytes) };
  });
  const problem = problemOf(fields);
  if (problem !== null) throw new TcborError("TCBOR_SHAPE", `${at}: ${problem}`);
  return fields;
}

function problemOf(fields: Fields): string | null {
  if (fields.length === 0 || fields.length > contentLimits.fields)
    return `${fields.length} fields, expected 1 to ${contentLimits.fields}`;
  for (const [i, { name, value }] of fields.entries()) {
    if (!nameForm.test(name)) return `field ${i + 1}: the name is not [a-zA-Z][a-zA-Z0-9]{0,31}`;
    if (value.length > contentLimits.fieldBytes) return `${name}: ${value.length} bytes, at most ${contentLimits.fieldBytes}`;
    if (i > 0 && (fields[i - 1] as Field).name >= name) return `${name}: twice, or not in order`;
  }
  return null;
}
