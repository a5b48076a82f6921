import { existsSync, readFileSync } from "node:fs";
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument, stringify } from "yaml";
import type { z } from "zod";
import { utf8 } from "../../protocol/base/index.ts";
import { writeFileDurably } from "../data-folder/index.ts";
import { type InputProblem, inputProblems, problemLine } from "../http/index.ts";
import { ConfigError } from "./errors.ts";

/** A configuration of any node fits many times; a wrong file named by mistake does not. */
const maxConfigBytes = 256 * 1024;

/** Loads and checks `tidegate.yaml`. Throws CONFIG_MISSING and CONFIG_INVALID, the latter with every problem at once. */
export function loadConfig<T>(path: string, schema: z.ZodType<T>): T {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new ConfigError("CONFIG_MISSING", `cannot read ${path}`, {
      cause,
      hint: "Set the node up with 'tidegate vault init' or 'tidegate gateway|edge join'.",
    });
  }
  return parseConfig(text, schema, path);
}

/** Parses and checks the text of a configuration; `name` is what the error calls it. */
export function parseConfig<T>(text: string, schema: z.ZodType<T>, name: string): T {
  if (Buffer.byteLength(text) > maxConfigBytes) {
    throw invalid(name, [
      { path: "", line: null, found: `${Buffer.byteLength(text)} bytes`, expected: `at most ${maxConfigBytes} bytes` },
    ]);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  if (document.errors.length > 0) {
    throw invalid(
      name,
      document.errors.map((error) => ({
        path: "",
        line: lines.linePos(error.pos[0]).line,
        found: error.message,
        expected: "YAML",
      })),
    );
  }
  const value = plainValue(document, name);
  // Code made for the schema would pay for itself where it is used again.
  const result = schema.safeParse(value, { jitless: true });
  if (result.success) return result.data;
  throw invalid(
    name,
    inputProblems(result.error.issues, value, (path) => lineOf(document, lines, path)),
  );
}

/** One key of a fresh configuration, with what it is for. */
export interface ConfigEntry {
  readonly key: string;
  readonly value: unknown;
  /** Lines above the key; none where empty. */
  readonly comment: string;
}

/** Writes a fresh `tidegate.yaml` with comments, 0600. Throws CONFIG_EXISTS. */
export function createConfig(path: string, entries: readonly ConfigEntry[]): void {
  if (existsSync(path)) throw new ConfigError("CONFIG_EXISTS", `there is a configuration in ${path} already`);
  const text = entries.map(({ key, value, comment }) => `${commented(comment)}${stringify({ [key]: value })}`).join("\n");
  writeFileDurably(path, utf8(text));
}

/** Aliases are refused: a configuration needs none, and a few of them can expand to gigabytes. */
function plainValue(document: Document.Parsed, name: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch {
    throw invalid(name, [{ path: "", line: null, found: "an alias (*name)", expected: "values written out" }]);
  }
}

function commented(text: string): string {
  return text === "" ? "" : `${text.replace(/^/gm, "# ")}\n`;
}

function invalid(name: string, problems: readonly InputProblem[]): ConfigError {
  const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
  return new ConfigError("CONFIG_INVALID", `${name} has ${count}: ${problems.map(problemLine).join("; ")}`, {
    problems,
    hint: `Put ${name} right at the lines that are named, and give the same command again; docs/operations.md has its sections.`,
  });
}

/** The line of the key at `path`, or of the nearest one above it that stands in the file. */
function lineOf(document: Document.Parsed, lines: LineCounter, path: readonly PropertyKey[]): number | null {
  for (let length = path.length; length > 0; length -= 1) {
    const at = offsetOf(document, path.slice(0, length));
    if (at !== null) return lines.linePos(at).line;
  }
  return 1;
}

function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number | null {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const last = path.at(-1);
  if (isMap(parent)) {
    const pair = parent.items.find((item) => (isScalar(item.key) ? item.key.value : item.key) === last);
    return isNode(pair?.key) ? (pair.key.range?.[0] ?? null) : null;
  }
  const node = document.getIn([...path], true);
  return isNode(node) ? (node.range?.[0] ?? null) : null;
}
