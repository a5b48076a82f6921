import { z } from "zod";
import { custodyText } from "./limits.ts";

const line = z
  .string()
  .max(custodyText)
  .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text), "one line of text");

/** A medium and who carries it, as calls of the command line tell them. */
export const custody = z.strictObject({
  medium: z.strictObject({ serial: line, label: line, size: z.int().min(0).nullable() }),
  login: line.min(1),
  person: line.min(1).nullable(),
});
