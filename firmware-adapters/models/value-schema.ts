import { z } from "zod";
import { maxModelNotes, maxSecretLength } from "./limits.ts";
import type { ValueConstraints } from "./model.ts";

const digits = "0123456789";
const forbiddenWords = z.array(z.string().min(1).max(maxSecretLength)).max(maxModelNotes).default([]);
const length = z.int().min(1).max(maxSecretLength);
/** U+0021 to U+007E: no device takes more, and a blank at either end is lost by half of them. */
const characters = z
  .string()
  .regex(/^[!-~]+$/, "printable ASCII characters without blanks")
  .max(95);

const textField = z
  .strictObject({
    kind: z.literal("text"),
    minLength: length,
    maxLength: length,
    alphabet: characters,
    require: z.array(characters).max(8).default([]),
    forbiddenWords,
  })
  .check((context) => {
    const field = context.value;
    const problem = (path: string[], message: string) => context.issues.push({ code: "custom", input: field, path, message });
    if (field.minLength > field.maxLength) problem(["minLength"], "number above maxLength, allowed: up to maxLength");
    if (new Set(field.alphabet).size !== field.alphabet.length)
      problem(["alphabet"], "text with a character twice, allowed: each once");
    if (field.require.length > field.maxLength) problem(["require"], "more classes than maxLength has characters");
    field.require.forEach((set, index) => {
      const strange = [...set].some((character) => !field.alphabet.includes(character));
      if (strange) problem(["require", String(index)], "text with a character outside of the alphabet");
    });
  });

const digitsField = z
  .strictObject({ kind: z.literal("digits"), minLength: length, maxLength: length, forbiddenWords })
  .refine((field) => field.minLength <= field.maxLength, {
    path: ["minLength"],
    message: "number above maxLength, allowed: up to maxLength",
  });

const numberField = z
  .strictObject({
    kind: z.literal("number"),
    min: z.int().min(0).max(0xffffffff),
    max: z.int().min(0).max(0xffffffff),
    forbiddenWords,
  })
  .refine((field) => field.min < field.max, { path: ["min"], message: "number not below max, allowed: below max" });

/** A secret field of a model, read into {@link ValueConstraints}. */
export const valueSchema = z
  .discriminatedUnion("kind", [textField, digitsField, numberField])
  .transform((field): ValueConstraints => {
    if (field.kind === "text") return field;
    if (field.kind === "digits") return { ...field, alphabet: digits, require: [] };
    return {
      ...field,
      minLength: String(field.min).length,
      maxLength: String(field.max).length,
      alphabet: digits,
      require: [],
    };
  });
