import type { Command } from "commander";
import { RemoteError } from "../agent/admin/index.ts";
import { type InputProblem, problemLine } from "../agent/http/index.ts";

/** Fields of calls whose option is called otherwise. */
const otherwise: Readonly<Record<string, string>> = {
  "accounts.intervalS": "rotate",
  "accounts.breakGlass": "break-glass",
  "rotation.intervalS": "rotate",
  rotateOn: "rotate-after",
  settings: "set",
};

/**
 * What a node finds wrong in a call, told of the options and arguments of `command` that were typed, where it names fields; anything else
 * as it is.
 */
export function asTyped(error: unknown, command: Command): unknown {
  if (!(error instanceof RemoteError) || error.problems === undefined) return error;
  const { code, fault, retryable, status, hint } = error;
  const problems = error.problems.map((problem) => ({ ...problem, path: typedName(problem, command) ?? problem.path }));
  let message = error.message.replace(/^the (body|query) is not valid: /, "");
  for (const [at, problem] of error.problems.entries())
    message = message.replace(problemLine(problem), () => problemLine(problems[at] ?? problem));
  return new RemoteError({ code, message, fault, retryable, status, hint, problems });
}

function typedName({ path }: InputProblem, command: Command): string | null {
  const fields = path.replace(/\[\d+\]/g, "");
  const parts = fields.split(".");
  for (const field of [fields, parts[0] ?? "", parts.at(-1) ?? ""]) {
    const names = namesOf(field);
    const option = command.options.find(({ long }) => names.some((name) => long === `--${name}`));
    if (option?.long !== undefined && option.long !== null) return option.long;
    const argument = command.registeredArguments.find(
      (each) => names.includes(each.name()) || (names.includes("path") && each.name().includes("/")),
    );
    if (argument !== undefined) return `<${argument.name()}>`;
  }
  return null;
}

/** `withinS` is `--within`, `hosts` is `--host`, `timeZone` is `--time-zone`. */
function namesOf(field: string): string[] {
  const kebab = field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return [otherwise[field] ?? kebab, kebab.replace(/-s$/, ""), kebab.replace(/s$/, "")];
}
