import { type Tcbor, TcborError } from "./tcbor.ts";

/** Reads a decoded value as the shape that a format asks for; every function throws TCBOR_SHAPE naming `at`. */

export function asUint(value: Tcbor | undefined, at: string, max = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== "number" || value > max) throw wrong(at, `unsigned integer up to ${max}`);
  return value;
}

/** A byte string of exactly `length` bytes. */
export function asBytes(value: Tcbor | undefined, at: string, length: number): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length !== length) throw wrong(at, `byte string of ${length}`);
  return value;
}

/** A byte string of at most `max` bytes. */
export function asBytesUpTo(value: Tcbor | undefined, at: string, max: number): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length > max) throw wrong(at, `byte string up to ${max}`);
  return value;
}

/** A text of at most `maxBytes` bytes of UTF-8. */
export function asText(value: Tcbor | undefined, at: string, maxBytes: number): string {
  if (typeof value !== "string" || Buffer.byteLength(value) > maxBytes) throw wrong(at, `text up to ${maxBytes} bytes`);
  return value;
}

export function asBoolean(value: Tcbor | undefined, at: string): boolean {
  if (typeof value !== "boolean") throw wrong(at, "true or false");
  return value;
}

/** An array of exactly `length` items. */
export function asTuple(value: Tcbor | undefined, at: string, length: number): readonly Tcbor[] {
  if (!Array.isArray(value) || value.length !== length) throw wrong(at, `array of ${length}`);
  return value;
}

/** An array of at most `max` items. */
export function asList(value: Tcbor | undefined, at: string, max: number): readonly Tcbor[] {
  if (!Array.isArray(value) || value.length > max) throw wrong(at, `array up to ${max}`);
  return value;
}

/** A map whose keys are all in `required` or `optional`, with every required key present. */
export function asMap(
  value: Tcbor | undefined,
  at: string,
  keys: { required: readonly number[]; optional?: readonly number[] },
): ReadonlyMap<number, Tcbor> {
  if (!(value instanceof Map)) throw wrong(at, "map");
  for (const key of keys.required) if (!value.has(key)) throw wrong(`${at}.${key}`, "present");
  for (const key of value.keys()) {
    if (!keys.required.includes(key) && !keys.optional?.includes(key)) throw wrong(`${at}.${key}`, "absent");
  }
  return value;
}

/** Null, or what `read` makes of it. */
export function orNull<T>(value: Tcbor | undefined, read: (value: Tcbor) => T): T | null {
  return value === null || value === undefined ? null : read(value);
}

function wrong(at: string, expected: string): TcborError {
  return new TcborError("TCBOR_SHAPE", `${at}: expected ${expected}`);
}
