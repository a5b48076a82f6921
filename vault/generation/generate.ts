import { assert, type Random } from "../../protocol/base/index.ts";
import { type Fields, makeFields } from "../../protocol/content/index.ts";
import { GenerationError } from "./codes.ts";
import { alphabetOf, type Constraints, type FieldConstraint } from "./constraints.ts";
import { maxDraws, targetBits } from "./limits.ts";
import { RandomBlock } from "./random-block.ts";

/** Draws one value per field, uniformly from all values that meet its constraint; the caller wipes them. Throws GENERATION_EXHAUSTED. */
export function generateFields(constraints: Constraints, random: Random): Fields {
  const block = new RandomBlock(random);
  try {
    return makeFields(Object.entries(constraints).map(([name, field]) => [name, generateValue(name, field, block)] as const));
  } finally {
    block.wipe();
  }
}

/** Checks fields that an operator gave. Throws GENERATION_VALUE_REFUSED naming every problem, never the value. */
export function checkFields(constraints: Constraints, fields: Fields): void {
  const problems: string[] = [];
  const given = new Set(fields.map(({ name }) => name));
  for (const name of Object.keys(constraints)) if (!given.has(name)) problems.push(`fields.${name}: missing`);
  for (const { name, value } of fields) {
    const field = constraints[name];
    if (field === undefined) problems.push(`fields.${name}: the model knows ${Object.keys(constraints).join(", ")}`);
    // A value already live on a device may be weaker than what we would generate: only what the device could not hold is refused.
    else if (!fits(field, value)) problems.push(`fields.${name}: expected ${describe(field)}`);
  }
  if (problems.length > 0) throw new GenerationError("GENERATION_VALUE_REFUSED", problems.join("; "));
}

function generateValue(name: string, field: FieldConstraint, random: RandomBlock): Uint8Array {
  const classes = field.require.map((set) => new Set(Buffer.from(set)));
  for (let draw = 0; draw < maxDraws; draw += 1) {
    const value = drawValue(field, random);
    // The whole draw is thrown away: mending it (forcing one character of each class) would make some values likelier.
    if (classes.every((set) => value.some((byte) => set.has(byte))) && !isForbidden(field, value)) return value;
    value.fill(0);
  }
  throw new GenerationError(
    "GENERATION_EXHAUSTED",
    `constraints.${name}: no value found in ${maxDraws} draws`,
    "Loosen the constraints.",
  );
}

function drawValue(field: FieldConstraint, random: RandomBlock): Uint8Array {
  const alphabet = alphabetOf(field);
  if (field.kind === "number" || alphabet === null) {
    assert(field.kind === "number", "only numbers have no alphabet");
    return new Uint8Array(Buffer.from(String(field.min + uniform(field.max - field.min + 1, random))));
  }
  const wanted = Math.ceil(targetBits / Math.log2(alphabet.length));
  const out = new Uint8Array(Math.min(field.maxLength, Math.max(field.minLength, wanted)));
  for (let i = 0; i < out.length; i += 1) out[i] = alphabet.charCodeAt(uniform(alphabet.length, random));
  return out;
}

/** Uniform below `bound` (at most 2^53): draws of whole bytes, rejected above the largest multiple of `bound`. */
function uniform(bound: number, random: RandomBlock): number {
  if (bound <= 1) return 0;
  const bytes = bound <= 0x100 ? 1 : bound <= 0x10000 ? 2 : bound <= 0x100000000 ? 4 : 7;
  const space = bytes === 7 ? 2 ** 53 : 256 ** bytes;
  const ceiling = space - (space % bound);
  for (let draw = 0; draw < maxDraws; draw += 1) {
    const value = random.next(bytes);
    if (value < ceiling) return value % bound;
  }
  throw new GenerationError("GENERATION_EXHAUSTED", "the source of random bytes yields no usable draw");
}

/** In digits and numbers a short word such as "0" would rule out most values: there only the whole value counts. */
function isForbidden({ kind, forbiddenWords }: FieldConstraint, value: Uint8Array): boolean {
  if (forbiddenWords.length === 0) return false;
  const text = Buffer.from(value).toString("latin1").toLowerCase();
  return forbiddenWords.some((word) => (kind === "text" ? text.includes(word.toLowerCase()) : text === word));
}

function fits(field: FieldConstraint, value: Uint8Array): boolean {
  if (field.kind === "number") {
    const text = Buffer.from(value).toString("latin1");
    return /^(0|[1-9][0-9]{0,15})$/.test(text) && Number(text) >= field.min && Number(text) <= field.max;
  }
  const alphabet = new Set(Buffer.from(alphabetOf(field) ?? ""));
  const printable = field.kind === "text";
  if (value.length < 1 || value.length > field.maxLength) return false;
  return value.every((byte) => (printable ? byte >= 0x20 && byte !== 0x7f : alphabet.has(byte)));
}

function describe(field: FieldConstraint): string {
  if (field.kind === "number") return `a number from ${field.min} to ${field.max}`;
  return `${field.kind === "digits" ? "digits" : "text"} of 1 to ${field.maxLength} characters`;
}
