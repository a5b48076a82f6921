import { TidegateError } from "../../protocol/base/index.ts";

/** A file of `protocol/vectors/`: one area's cases, each testing one thing. SPEC.md section 1.3. */
export interface VectorFile {
  /** Names the checker in `registry.ts`. */
  readonly area: string;
  /** What the file is about and where its bytes come from. */
  readonly about: string;
  readonly cases: readonly VectorCase[];
}

export interface VectorCase {
  readonly name: string;
  /** "ok", or the code of the refusal. */
  readonly expect: string;
  /** Area-specific; byte strings are lower-case hexadecimal. */
  readonly [field: string]: unknown;
}

export interface Result {
  readonly name: string;
  readonly passed: boolean;
  /** Why it failed; empty where it passed. */
  readonly detail: string;
}

/** Runs each case: `run` must return where "ok" is expected, and throw an error of exactly that code elsewhere. */
export function runCases(file: VectorFile, run: (vector: VectorCase) => void): Result[] {
  return file.cases.map((vector) => {
    const outcome = outcomeOf(() => run(vector));
    const passed = outcome.code === vector.expect;
    const detail = passed ? "" : `expected ${vector.expect}, got ${outcome.code}${outcome.message}`;
    return { name: vector.name, passed, detail };
  });
}

/** The bytes of a hexadecimal field; a vector without it is broken and stops the check. */
export function bytesOf(vector: VectorCase, field: string): Uint8Array {
  const text = vector[field];
  if (typeof text !== "string" || !/^(?:[0-9a-f]{2})*$/.test(text))
    throw new Error(`vector ${vector.name}: no bytes in ${field}`);
  return new Uint8Array(Buffer.from(text, "hex"));
}

/** Throws where `actual` is not what the vector's field says. */
export function expectBytes(vector: VectorCase, field: string, actual: Uint8Array): void {
  const expected = Buffer.from(bytesOf(vector, field));
  if (!expected.equals(actual)) throw new Error(`${field} differs: ${Buffer.from(actual).toString("hex").slice(0, 80)}`);
}

/** Throws where a text, number or null is not what the vector's field says. */
export function expectSame(vector: VectorCase, field: string, actual: string | number | null): void {
  if (vector[field] !== actual) throw new Error(`${field} is ${String(actual)}, not ${String(vector[field])}`);
}

/** Parses a vector file; throws where its frame is not the one above. */
export function parseVectorFile(text: string): VectorFile {
  const file = JSON.parse(text) as VectorFile;
  const framed = typeof file.area === "string" && typeof file.about === "string" && Array.isArray(file.cases);
  if (!framed || file.cases.length === 0) throw new Error("a vector file has area, about and at least one case");
  const names = new Set(file.cases.map((one) => one.name));
  if (names.size !== file.cases.length) throw new Error("two vectors of one name");
  return file;
}

function outcomeOf(run: () => void): { code: string; message: string } {
  try {
    run();
    return { code: "ok", message: "" };
  } catch (error) {
    if (error instanceof TidegateError) return { code: error.code, message: "" };
    return { code: "an error without code", message: `: ${error instanceof Error ? error.message : String(error)}` };
  }
}
