import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { toHex } from "../../protocol/base/index.ts";
import type { VectorCase, VectorFile } from "../vectors-check/vector-file.ts";

/** Writes `protocol/vectors/<name>.json`; byte arrays become hexadecimal. */
export function writeVectors(name: string, file: VectorFile): void {
  const path = fileURLToPath(new URL(`../../protocol/vectors/${name}.json`, import.meta.url));
  const text = JSON.stringify(file, (_key, value) => (value instanceof Uint8Array ? toHex(value) : value), 1);
  writeFileSync(path, `${text}\n`);
  console.log(`${name}.json: ${file.cases.length} cases`);
}

/** A copy with one bit turned, counted from the first byte's highest. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const out = bytes.slice();
  out[bit >> 3] = (out[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
  return out;
}

/** The same case in several forms, each with its own name. */
export function variants(
  base: Omit<VectorCase, "name">,
  changes: readonly (Partial<VectorCase> & { name: string })[],
): VectorCase[] {
  return changes.map((change) => ({ ...base, ...change }) as VectorCase);
}
