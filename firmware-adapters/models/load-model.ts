import { isMap, isNode, isScalar, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { maxModelBytes } from "./limits.ts";
import type { DeviceModel } from "./model.ts";
import { ModelError, type ModelProblem } from "./model-error.ts";
import { modelSchema } from "./model-schema.ts";

type ParsedDocument = ReturnType<typeof parseDocument>;
type Path = readonly PropertyKey[];

/** Reads a model's YAML text; throws MODEL_INVALID with every problem of it. */
export function loadModel(text: string): DeviceModel {
  if (Buffer.byteLength(text) > maxModelBytes) {
    throw invalid([
      { path: "", line: 0, message: `text of ${Buffer.byteLength(text)} bytes, allowed: up to ${maxModelBytes}` },
    ]);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    strict: true,
    uniqueKeys: true,
    merge: false,
    logLevel: "silent",
  });
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => ({
      path: "",
      line: lines.linePos(error.pos[0]).line,
      message: firstLine(error.message),
    }));
    throw invalid(problems);
  }
  const raw = plainValue(document);
  const result = modelSchema.safeParse(raw);
  if (result.success) return result.data;
  throw invalid(result.error.issues.flatMap((issue) => problemsOf(issue, raw, document, lines)));
}

/** The document as plain values. An alias is refused: a few of them can grow into gigabytes. */
function plainValue(document: ParsedDocument): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch {
    throw invalid([{ path: "", line: 0, message: "text with an alias (*name), allowed: none" }]);
  }
}

function problemsOf(issue: z.core.$ZodIssue, raw: unknown, document: ParsedDocument, lines: LineCounter): ModelProblem[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => place([...issue.path, key], "key that no model has", document, lines));
  }
  if (issue.code === "invalid_union") {
    const branch = branchMeant(issue, raw);
    if (branch !== null) {
      const inner = branch.map((found) => ({ ...found, path: [...issue.path, ...found.path] }));
      return inner.flatMap((found) => problemsOf(found, raw, document, lines));
    }
  }
  // A record's key is judged apart from its value; the path already names it.
  if (issue.code === "invalid_key") return [place(issue.path, "key that is not allowed here", document, lines)];
  return [place(issue.path, messageOf(issue, typeAt(raw, issue.path)), document, lines)];
}

/** The alternative of a union that the author meant: the one that takes the value's type and complains inside of it only. */
function branchMeant(issue: z.core.$ZodIssueInvalidUnion, raw: unknown): readonly z.core.$ZodIssue[] | null {
  if (typeAt(raw, issue.path) !== "object") return null;
  const inside = (found: z.core.$ZodIssue) => found.path.length > 0 || found.code === "unrecognized_keys";
  return issue.errors.find((branch) => branch.length > 0 && branch.every(inside)) ?? null;
}

function messageOf(issue: z.core.$ZodIssue, type: string): string {
  switch (issue.code) {
    case "invalid_type":
      return type === "nothing" ? `nothing, expected ${issue.expected}` : `${type}, expected ${issue.expected}`;
    case "too_small":
      return `${type} too small, allowed: from ${issue.minimum}${unitOf(issue.origin)}`;
    case "too_big":
      return `${type} too big, allowed: up to ${issue.maximum}${unitOf(issue.origin)}`;
    case "invalid_value":
      return `${type}, allowed: ${issue.values.join(", ")}`;
    case "invalid_format":
      return `${type}, allowed: ${issue.message}`;
    case "invalid_union":
      return issue.discriminator === undefined ? `${type}, ${issue.message}` : `${type}, allowed: ${optionsOf(issue)}`;
    default:
      return issue.message;
  }
}

function unitOf(origin: string): string {
  if (origin === "string") return " characters";
  return origin === "array" ? " entries" : "";
}

/** The values that a union's key may take. */
function optionsOf(issue: z.core.$ZodIssueInvalidUnion): string {
  const named = (issue as { options?: readonly unknown[] }).options;
  return named === undefined ? "see docs/adapters.md" : named.join(", ");
}

function place(path: Path, message: string, document: ParsedDocument, lines: LineCounter): ModelProblem {
  const text = path.reduce<string>((left, key) => {
    if (typeof key === "number") return `${left}[${key}]`;
    return left === "" ? String(key) : `${left}.${String(key)}`;
  }, "");
  return { path: text, line: lineAt(path, document, lines), message };
}

/** The line of the value at `path`, of its key, or of the nearest thing around it. */
function lineAt(path: Path, document: ParsedDocument, lines: LineCounter): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    const holder = length === 0 ? undefined : document.getIn(path.slice(0, length - 1), true);
    const pair = isMap(holder)
      ? holder.items.find((item) => isScalar(item.key) && String(item.key.value) === String(path[length - 1]))
      : undefined;
    const range = isScalar(pair?.key) ? pair.key.range : isNode(node) ? node.range : undefined;
    if (range) return lines.linePos(range[0]).line;
  }
  return 1;
}

function typeAt(raw: unknown, path: Path): string {
  let value: unknown = raw;
  for (const key of path) value = value === null || typeof value !== "object" ? undefined : Reflect.get(value, key);
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "list";
  return typeof value === "string" ? "text" : typeof value;
}

function firstLine(message: string): string {
  return message.split("\n", 1)[0] ?? "";
}

function invalid(problems: readonly ModelProblem[]): ModelError {
  return new ModelError("MODEL_INVALID", "the model cannot be used:", problems);
}
