import { z } from "zod";
import { maxAsciiRegisters, maxRecipeSteps, maxWaitMs } from "./limits.ts";
import type { ExceptionMeanings, ModbusRecipe, RecipeStep, RecipeValue, RegisterType } from "./model.ts";

const address = z.int().min(0).max(0xffff);

const registerType = z
  .string()
  .regex(/^(u16|u32|float32|ascii [1-9][0-9]?)$/, `u16, u32, float32 or "ascii N" with N registers`)
  .transform((text, context): RegisterType => {
    if (text === "u16") return { kind: "u16", registers: 1 };
    if (text === "u32" || text === "float32") return { kind: text, registers: 2 };
    const registers = Number(text.slice("ascii ".length));
    if (registers > maxAsciiRegisters) {
      context.issues.push({ code: "custom", input: text, message: `number of registers, allowed: 1 to ${maxAsciiRegisters}` });
    }
    return { kind: "ascii", registers };
  });

const recipeValue = z
  .union([z.int().min(0).max(0xffffffff), z.string().regex(/^(current|next|\$[a-z][a-z0-9]*)$/)], {
    error: "expected current, next, $NAME of a value read before, or an integer from 0 to 4294967295",
  })
  .transform((value): RecipeValue => {
    if (typeof value === "number") return { number: value };
    return value === "current" || value === "next" ? { secret: value } : { named: value.slice(1) };
  });

const meaning = z.enum(["REJECTED_AUTH", "REJECTED_POLICY", "BUSY", "CONTINUE"]);
const exceptions = z
  .partialRecord(z.string().regex(/^([1-9]|10|11)$/, "exception code 1 to 11"), meaning)
  .default({})
  .transform((value) => value as ExceptionMeanings);

/** One step: an object with exactly one key, which names what it does. */
const step = z
  .strictObject({
    unlock: z.enum(["current", "next"]).optional(),
    write: z
      .strictObject({
        address,
        type: registerType,
        value: recipeValue,
        function: z.literal([6, 16]).default(16),
        replyMayBeLost: z.boolean().default(false),
        exceptions,
      })
      .refine((write) => write.function === 16 || write.type.registers === 1, {
        path: ["function"],
        message: "number 6 for a value of more than one register, allowed: 16",
      })
      .optional(),
    coil: z.strictObject({ address, on: z.boolean(), exceptions }).optional(),
    read: z.strictObject({ address, type: registerType, as: z.string().regex(/^[a-z][a-z0-9]*$/), exceptions }).optional(),
    expect: z
      .strictObject({
        address,
        type: registerType,
        mask: z.int().min(1).max(0xffffffff).nullable().default(null),
        equals: recipeValue,
        otherwise: z.enum(["REJECTED_AUTH", "REJECTED_POLICY", "BUSY", "AMBIGUOUS"]),
        withinMs: z.int().min(0).max(maxWaitMs).default(0),
        exceptions,
      })
      .optional(),
    wait: z.int().min(1).max(maxWaitMs).optional(),
  })
  .transform((raw, context): RecipeStep => {
    const { unlock, write, coil, read, expect, wait } = raw;
    if (Object.values(raw).filter((value) => value !== undefined).length !== 1) {
      context.issues.push({
        code: "custom",
        input: raw,
        message: "object, allowed: exactly one of unlock, write, coil, read, expect, wait",
      });
    }
    if (unlock !== undefined) return { do: "unlock", secret: unlock };
    if (write !== undefined) {
      const { function: functionCode, ...rest } = write;
      return { do: "write", functionCode, ...rest };
    }
    if (coil !== undefined) return { do: "coil", ...coil };
    if (read !== undefined) return { do: "read", ...read };
    if (expect !== undefined) return { do: "expect", ...expect };
    return { do: "wait", ms: wait ?? 1 };
  });

const steps = z.array(step).max(maxRecipeSteps);

/** The sequences of a Modbus device, read into {@link ModbusRecipe}, with the checks that cross steps. */
export const recipeSchema = z
  .strictObject({
    wordOrder: z.enum(["big", "little"]).default("big"),
    byteOrder: z.enum(["big", "little"]).default("big"),
    identify: steps.default([]),
    unlock: steps.min(1),
    push: steps.min(1),
    verify: steps.min(1),
    save: steps.default([]),
  })
  .check((context) => {
    // A step that did not parse cannot be judged together with others.
    if (context.issues.length > 0) return;
    for (const list of ["identify", "unlock", "push", "verify", "save"] as const) {
      for (const { index, message } of listProblems(context.value, list)) {
        context.issues.push({ code: "custom", input: context.value, path: [list, index], message });
      }
    }
  });

function* listProblems(recipe: ModbusRecipe, list: "identify" | "unlock" | "push" | "verify" | "save") {
  const known = new Set<string>();
  for (const [index, step] of recipe[list].entries()) {
    if (step.do === "read") known.add(step.as);
    if (step.do === "unlock" && (list === "unlock" || list === "identify"))
      yield { index, message: `unlock step, not allowed in ${list}` };
    if (list === "identify" && step.do !== "read") yield { index, message: `${step.do} step, allowed in identify: read` };
    const value = step.do === "write" ? step.value : step.do === "expect" ? step.equals : null;
    if (value !== null && "named" in value && !known.has(value.named))
      yield { index, message: `$${value.named}, which no step before has read` };
    // Without its answer nobody knows whether it was saved, and a later restart may bring the old password back.
    if (list === "save" && step.do === "write" && step.replyMayBeLost)
      yield { index, message: "replyMayBeLost, not allowed in save" };
    const next =
      (value !== null && "secret" in value && value.secret === "next") || (step.do === "unlock" && step.secret === "next");
    if (next && list !== "push") yield { index, message: "next, allowed in push only" };
  }
  if (
    list === "push" &&
    !recipe.push.some((step) => step.do === "write" && "secret" in step.value && step.value.secret === "next")
  ) {
    yield { index: 0, message: "no step of push writes next" };
  }
}
