import { StreamError } from "../../protocol/bundle/index.ts";
import { checkContent } from "./bundle-content.ts";
import { checkApply, checkBody, checkDigest, checkHeader, checkOpen } from "./bundle-parts.ts";
import { checkJudge } from "./bundle-stream.ts";
import { type Result, runCases, type VectorCase, type VectorFile } from "./vector-file.ts";

/** Bundles and reports, their streams and what they say. */
export function check(file: VectorFile): Result[] {
  return runCases(file, runCase);
}

function runCase(vector: VectorCase): void {
  switch (vector["kind"]) {
    case "digest":
      return checkDigest(vector);
    case "header":
      return checkHeader(vector);
    case "body":
      return checkBody(vector);
    case "apply":
      return checkApply(vector);
    case "open":
      return checkOpen(vector);
    case "judge": {
      const code = checkJudge(vector);
      if (code !== null) throw new StreamError(code, "refused by its stream");
      return;
    }
    default:
      return checkContent(vector);
  }
}
