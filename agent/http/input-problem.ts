import type { z } from "zod";
import type { InputProblem } from "./errors.ts";

type Issue = z.core.$ZodIssue;

/** All problems that zod found in `input`, in the words that an operator reads; `lineOf` tells a key path's line where there are lines. */
export function inputProblems(
  issues: readonly Issue[],
  input: unknown,
  lineOf: (path: readonly PropertyKey[]) => number | null = () => null,
): InputProblem[] {
  return issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => problemAt([...issue.path, key], "unknown key", "no such key", lineOf));
    }
    const value = valueAt(input, issue.path);
    return [problemAt(issue.path, typeName(value), expectation(issue), lineOf)];
  });
}

/** One line per problem, as the command line and logs show them. */
export function problemLine(problem: InputProblem): string {
  const line = problem.line === null ? "" : `line ${problem.line}: `;
  return `${line}${problem.path || "(whole input)"}: found ${problem.found}, expected ${problem.expected}`;
}

function problemAt(
  path: readonly PropertyKey[],
  found: string,
  expected: string,
  lineOf: (path: readonly PropertyKey[]) => number | null,
): InputProblem {
  return { path: pathText(path), line: lineOf(path), found, expected };
}

function pathText(path: readonly PropertyKey[]): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else text += text === "" ? String(part) : `.${String(part)}`;
  }
  return text;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const part of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[part];
  return value;
}

function typeName(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return `list of ${value.length}`;
  if (typeof value === "string") return `text of ${value.length}`;
  if (typeof value === "number") return Number.isInteger(value) ? `integer ${value}` : "number";
  return typeof value === "object" ? "map" : typeof value;
}

const typeWords: Record<string, string> = {
  string: "text",
  number: "number",
  int: "integer",
  boolean: "true or false",
  object: "map",
  array: "list",
};

/** Type and range that `issue` asks for. A schema's own message, given with `.refine` or `error`, says it best. */
function expectation(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return ownMessage(issue) ?? typeWords[issue.expected] ?? issue.expected;
    case "too_small":
      return `at least ${String(issue.minimum)}${unitOf(issue.origin)}`;
    case "too_big":
      return `at most ${String(issue.maximum)}${unitOf(issue.origin)}`;
    case "invalid_value":
      return `one of ${issue.values.map(String).join(", ")}`;
    case "invalid_union":
      return unionExpectation(issue);
    default:
      return issue.message;
  }
}

/** What the schema says itself of a value of another type; null where it leaves that to zod. */
function ownMessage({ message }: Issue): string | null {
  return message.startsWith("Invalid ") ? null : message;
}

function unitOf(origin: string): string {
  if (origin === "string") return " characters";
  if (origin === "array" || origin === "set" || origin === "map") return " entries";
  return "";
}

function unionExpectation(issue: Extract<Issue, { code: "invalid_union" }>): string {
  const branches = issue.errors.flatMap((errors) => errors.slice(0, 1)).map((inner) => expectation(inner));
  return branches.length === 0 ? issue.message : [...new Set(branches)].join(" or ");
}
