/** The codes of a model that cannot be used; the same shape as every other table of codes in the project. */
export const MODEL_CODES = {
  MODEL_INVALID: { fault: "operator", retryable: false },
  MODEL_UNKNOWN: { fault: "operator", retryable: false },
} as const;

/** One thing wrong in a model's text. */
export interface ModelProblem {
  /** Where, e.g. `recipe.push[2].write.address`; empty for the text as a whole. */
  readonly path: string;
  /** From 1; 0 where no line can be named. */
  readonly line: number;
  /** The value's type and what is allowed; never the value. */
  readonly message: string;
}

/** A model that is not there or not usable; `problems` holds everything that is wrong with it. */
export class ModelError extends Error {
  override readonly name = "ModelError";
  readonly code: keyof typeof MODEL_CODES;
  readonly fault = "operator";
  readonly retryable = false;
  readonly hint: string;
  readonly problems: readonly ModelProblem[];

  constructor(code: keyof typeof MODEL_CODES, message: string, problems: readonly ModelProblem[] = []) {
    super([message, ...problems.map(lineOf)].join("\n"));
    this.code = code;
    this.hint =
      code === "MODEL_INVALID" ? "`tidegate model check FILE` shows what is wrong" : "`tidegate model list` shows the models";
    this.problems = problems;
  }
}

function lineOf(problem: ModelProblem): string {
  return `  line ${problem.line}: ${problem.path === "" ? "" : `${problem.path}: `}${problem.message}`;
}
