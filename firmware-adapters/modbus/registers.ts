import type { ModbusRecipe, RegisterType } from "../models/index.ts";

/** How a device orders the bytes of a value in its registers. */
export type RegisterOrder = Pick<ModbusRecipe, "wordOrder" | "byteOrder">;

/** Above this a 32-bit float skips integers, and two passwords would be one. */
const maxFloatInteger = 2 ** 24;

const largest = { u16: 0xffff, u32: 0xffffffff, float32: maxFloatInteger } as const;

/** The registers that hold a secret (its digits, or its characters), or null where the type cannot hold it. */
export function encodeSecret(secret: Uint8Array, type: RegisterType, order: RegisterOrder): readonly number[] | null {
  if (type.kind === "ascii") {
    const bytes = new Uint8Array(2 * type.registers);
    if (secret.length === 0 || secret.length > bytes.length || secret.some((byte) => byte < 0x20 || byte > 0x7e)) return null;
    bytes.set(secret);
    return toRegisters(bytes, { ...order, wordOrder: "big" });
  }
  const number = decimalOf(secret);
  return number === null ? null : encodeNumber(number, type, order);
}

/** The registers that hold `number`, or null where the type cannot. */
export function encodeNumber(number: number, type: RegisterType, order: RegisterOrder): readonly number[] | null {
  if (type.kind === "ascii" || number > largest[type.kind]) return null;
  const bytes = new Uint8Array(2 * type.registers);
  const view = new DataView(bytes.buffer);
  if (type.kind === "u16") view.setUint16(0, number);
  else if (type.kind === "u32") view.setUint32(0, number);
  else view.setFloat32(0, number);
  return toRegisters(bytes, order);
}

/** The number that integer registers hold; only the integer types can be masked. */
export function decodeInteger(registers: readonly number[], type: RegisterType, order: RegisterOrder): number {
  const view = new DataView(toBytes(registers, order).buffer);
  return type.kind === "u16" ? view.getUint16(0) : view.getUint32(0);
}

/** A value as text, to name a device by; trailing blanks and zero bytes of text are padding. */
export function describeValue(registers: readonly number[], type: RegisterType, order: RegisterOrder): string {
  if (type.kind === "ascii") {
    const text = Buffer.from(toBytes(registers, { ...order, wordOrder: "big" })).toString("latin1");
    return text.replace(/[^!-~]+/g, " ").trim();
  }
  if (type.kind === "float32") return String(new DataView(toBytes(registers, order).buffer).getFloat32(0));
  return String(decodeInteger(registers, type, order));
}

/** A decimal number without going through a string, or null where `digits` holds anything else or too much. */
function decimalOf(digits: Uint8Array): number | null {
  if (digits.length === 0 || digits.length > 10) return null;
  let number = 0;
  for (const byte of digits) {
    if (byte < 0x30 || byte > 0x39) return null;
    number = number * 10 + (byte - 0x30);
  }
  return number;
}

function toRegisters(bytes: Uint8Array, order: RegisterOrder): number[] {
  const view = new DataView(bytes.buffer);
  const registers: number[] = [];
  for (let at = 0; at < bytes.length; at += 2) registers.push(view.getUint16(at, order.byteOrder === "little"));
  return order.wordOrder === "little" ? registers.reverse() : registers;
}

function toBytes(registers: readonly number[], order: RegisterOrder): Uint8Array<ArrayBuffer> {
  const ordered = order.wordOrder === "little" ? registers.toReversed() : registers;
  const bytes = new Uint8Array(2 * ordered.length);
  const view = new DataView(bytes.buffer);
  for (const [index, register] of ordered.entries()) view.setUint16(2 * index, register, order.byteOrder === "little");
  return bytes;
}
