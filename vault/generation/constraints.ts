import { z } from "zod";
import { GenerationError } from "./codes.ts";
import {
  maxFields,
  maxForbiddenWords,
  maxRequiredClasses,
  maxValueLength,
  minDistinctValues,
  minPassingShare,
} from "./limits.ts";

const printable = z
  .string()
  .min(1)
  .max(95)
  .regex(/^[\x20-\x7e]+$/, "expected printable ASCII")
  .refine((text) => new Set(text).size === text.length, "expected each character once");

const length = z.int().min(1).max(maxValueLength);
const words = z.array(z.string().min(1).max(maxValueLength)).max(maxForbiddenWords).default([]);

const common = { require: z.array(printable).max(maxRequiredClasses).default([]), forbiddenWords: words };

const fieldSchema = z.discriminatedUnion("kind", [
  /** Characters of `alphabet`, at least one of each class in `require`, no forbidden word anywhere inside. */
  z.strictObject({ kind: z.literal("text"), minLength: length, maxLength: length, alphabet: printable, ...common }),
  /** Digits only; leading zeros count. A forbidden word is a whole value. */
  z.strictObject({
    kind: z.literal("digits"),
    minLength: length,
    maxLength: length,
    alphabet: printable.regex(/^[0-9]+$/, "expected digits").default("0123456789"),
    ...common,
  }),
  /** A decimal number without leading zeros. A forbidden word is a whole value; lengths and alphabet follow from the range. */
  z.strictObject({
    kind: z.literal("number"),
    min: z.int().min(0),
    max: z.int().min(0),
    minLength: length.optional(),
    maxLength: length.optional(),
    alphabet: z.string().max(95).optional(),
    require: z.array(z.string()).max(0, "a number has no required classes").default([]),
    forbiddenWords: words,
  }),
]);

const constraintsSchema = z
  .record(z.string().regex(/^[a-z][A-Za-z0-9]{0,31}$/, "expected a field name such as password"), fieldSchema)
  .refine(
    (fields) => Object.keys(fields).length >= 1 && Object.keys(fields).length <= maxFields,
    `expected 1 to ${maxFields} fields`,
  );

/** What one secret field of a make of device may be. */
export type FieldConstraint = z.infer<typeof fieldSchema>;

/** The named secret fields of one credential, as a model gives them. */
export type Constraints = Readonly<Record<string, FieldConstraint>>;

/**
 * Checks untrusted constraints. Throws GENERATION_CONSTRAINTS_INVALID naming every problem's path, and GENERATION_IMPOSSIBLE where
 * nothing, or too little, could meet them.
 */
export function parseConstraints(value: unknown): Constraints {
  const parsed = constraintsSchema.safeParse(value);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${["constraints", ...issue.path].join(".")}: ${issue.message}`);
    throw new GenerationError("GENERATION_CONSTRAINTS_INVALID", problems.join("; "));
  }
  for (const [name, field] of Object.entries(parsed.data)) refuseImpossible(name, field);
  return parsed.data;
}

/** Characters of a field that is drawn character by character; null for a number. */
export function alphabetOf(field: FieldConstraint): string | null {
  return field.kind === "number" ? null : field.alphabet;
}

function refuseImpossible(name: string, field: FieldConstraint): void {
  const refuse = (why: string) => new GenerationError("GENERATION_IMPOSSIBLE", `constraints.${name}: ${why}`);
  if (field.kind === "number") {
    if (field.max - field.min + 1 < minDistinctValues) throw refuse(`min to max leaves fewer than ${minDistinctValues} values`);
    return;
  }
  if (field.minLength > field.maxLength) throw refuse(`minLength ${field.minLength} is above maxLength ${field.maxLength}`);
  const alphabet = alphabetOf(field) ?? "";
  if (alphabet.length ** field.maxLength < minDistinctValues) throw refuse(`leaves fewer than ${minDistinctValues} values`);
  if (shareHoldingAll(alphabet, field.require, field.maxLength) < minPassingShare) {
    throw refuse("the required classes do not fit the alphabet and maxLength");
  }
}

/** Exact share of uniform strings of `size` that hold a character of each class: inclusion and exclusion over the classes. */
function shareHoldingAll(alphabet: string, classes: readonly string[], size: number): number {
  let share = 0;
  for (let subset = 0; subset < 1 << classes.length; subset += 1) {
    const missing = classes.filter((_, i) => (subset >> i) & 1);
    const left = [...alphabet].filter((char) => !missing.some((set) => set.includes(char))).length;
    share += (missing.length % 2 === 0 ? 1 : -1) * (left / alphabet.length) ** size;
  }
  return share;
}
