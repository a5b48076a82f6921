import { z } from "zod";
import { maxCommandLength, maxPatternLength, maxPatterns, maxPrompts } from "./limits.ts";
import type { SshParameters } from "./model.ts";

const pattern = z
  .string()
  .min(1)
  .max(maxPatternLength)
  .regex(/^[ -~]*[!-)+-~][ -~]*$/, "printable ASCII with more than * and blanks");
const patterns = z.array(pattern).min(1).max(maxPatterns);
const commandLine = z
  .string()
  .max(maxCommandLength)
  .regex(/^[ -~]+$/, "one line of printable ASCII");
const command = z.strictObject({ command: commandLine, expect: pattern.nullable().default(null) });

const change = z
  .strictObject({
    command: commandLine,
    expect: pattern.nullable().default(null),
    prompts: z
      .array(z.strictObject({ expect: patterns, send: z.enum(["current", "next"]) }))
      .max(maxPrompts)
      .default([]),
    stdin: z
      .string()
      .max(maxPatternLength)
      .regex(/^[ -~]*\{next\}[ -~]*$/, "one line of printable ASCII with {next}")
      .nullable()
      .default(null),
    answers: z
      .array(z.strictObject({ text: pattern, means: z.enum(["REJECTED_AUTH", "REJECTED_POLICY", "BUSY"]) }))
      .max(maxPatterns)
      .default([]),
  })
  .check((context) => {
    const { prompts, stdin } = context.value;
    const problem = (path: string, message: string) =>
      context.issues.push({ code: "custom", input: context.value, path: [path], message });
    if (prompts.length > 0 === (stdin !== null)) problem("prompts", "list, allowed: either prompts or stdin");
    else if (stdin === null && !prompts.some(({ send }) => send === "next"))
      problem("prompts", "list in which no prompt is answered with next");
  });

/** What a model of an SSH device says, read into {@link SshParameters}. */
export const sshSchema: z.ZodType<SshParameters> = z
  .strictObject({
    changedBy: z.enum(["self", "admin"]),
    algorithms: z.enum(["modern", "legacy"]).default("modern"),
    verify: command.default({ command: "true", expect: null }),
    change,
    save: command.nullable().default(null),
    expired: z.array(pattern).max(maxPatterns).default([]),
  })
  .check((context) => {
    const { changedBy, change: how } = context.value;
    if (changedBy === "self" || !how.prompts.some(({ send }) => send === "current")) return;
    context.issues.push({
      code: "custom",
      input: context.value,
      path: ["change", "prompts"],
      message: "list with current, which an admin is not asked for",
    });
  });
