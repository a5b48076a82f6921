import { TidegateError } from "../../protocol/base/index.ts";

export const GENERATION_CODES = {
  /** A model's constraints are not of the known form. */
  GENERATION_CONSTRAINTS_INVALID: { fault: "operator", retryable: false },
  /** No value, or too few to be a secret, can meet the constraints. */
  GENERATION_IMPOSSIBLE: { fault: "operator", retryable: false },
  /** The constraints leave so few values that drawing one at random gave up. */
  GENERATION_EXHAUSTED: { fault: "operator", retryable: true },
  /** A value given by an operator breaks the model's constraints. */
  GENERATION_VALUE_REFUSED: { fault: "operator", retryable: false },
} as const;

export class GenerationError extends TidegateError<keyof typeof GENERATION_CODES> {
  constructor(code: keyof typeof GENERATION_CODES, message: string, hint?: string) {
    super(GENERATION_CODES, code, message, hint === undefined ? {} : { hint });
  }
}
