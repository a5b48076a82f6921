import { readdirSync, readFileSync } from "node:fs";
import { checkers } from "./registry.ts";
import { parseVectorFile, type Result } from "./vector-file.ts";

/** The outcome of one vector file. */
export interface FileResult {
  readonly file: string;
  readonly area: string;
  readonly results: readonly Result[];
}

/** Checks every vector file of `folder` against the code. Throws where a file is broken or nobody checks its area. */
export async function checkAll(folder: string): Promise<FileResult[]> {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .sort();
  if (names.length === 0) throw new Error(`no vectors in ${folder}`);
  const out: FileResult[] = [];
  for (const name of names) {
    const file = parseVectorFile(readFileSync(`${folder}/${name}`, "utf8"));
    const load = checkers[file.area];
    if (load === undefined) throw new Error(`${name}: no checker for area ${file.area}`);
    const results = (await load()).check(file);
    if (results.length !== file.cases.length)
      throw new Error(`${name}: ${results.length} of ${file.cases.length} cases were checked`);
    out.push({ file: name, area: file.area, results });
  }
  return out;
}
