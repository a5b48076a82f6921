import { z } from "zod";
import { contentLimits, isPath, isPattern, isSegment } from "../../protocol/content/index.ts";

/** Shapes that several calls take. Each says what it expects, so that an error names the allowed form. */

/** A zone's, node's, device's, account's or application's name. */
export const segment = z.string().refine(isSegment, "a name of at most 63: a-z, 0-9, '.', '_', '-', a letter or digit first");

/** zone/device/account. */
export const path = z
  .string()
  .refine((text) => isPath(text) && text.split("/").length === 3, "zone/device/account, each a-z, 0-9, '.', '_', '-'");

export const pattern = z
  .string()
  .refine(
    isPattern,
    "such as line-4/**: names of a-z, 0-9, '.', '_', '-' with / between, * for one name, ** at the end for the rest",
  );

export const hostName = z.string().min(1).max(contentLimits.hostBytes);

/** A secret field's bytes. */
export const base64 = z
  .string()
  .max(Math.ceil(contentLimits.fieldBytes / 3) * 4)
  .refine((text) => Buffer.from(text, "base64").toString("base64") === text, "base64 with padding");

/** One line of text without control characters. */
export const line = (maxBytes: number) =>
  z
    .string()
    .refine(
      (text) => text.isWellFormed() && !/\p{Cc}/u.test(text) && Buffer.byteLength(text) <= maxBytes,
      `text of at most ${maxBytes} bytes without control characters`,
    );
