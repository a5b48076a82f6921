import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../cli/export-rig.ts";
import { pynacl } from "./tool.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

/** Runs a program of the second implementation, which was written from SPEC.md and the vectors alone. */
export function python(
  script: string,
  words: readonly string[],
  input = "",
): { exit: number | null; stdout: string; stderr: string } {
  const told = spawnSync(pynacl.command, [join(here, script), ...words], { input, encoding: "utf8", maxBuffer: 4 << 20 });
  return { exit: told.status, stdout: told.stdout, stderr: told.stderr };
}

/** What each verifier finds in a folder, and whether it calls it good; `options` are those that both take. */
export async function verdicts(folder: string, ...options: string[]) {
  const product = await run(["audit", "verify", folder, ...options, "--json"]);
  const [log] = JSON.parse(product.stdout) as {
    findings: { code: string; index: number }[];
    sealedSize: number;
    damaged: { file: string }[];
  }[];
  const other = python("verify_audit.py", [folder, ...options, "--json"]);
  if (other.stdout === "") throw new Error(other.stderr);
  const theirs = JSON.parse(other.stdout) as NonNullable<typeof log> & { problems: string[] };
  return {
    ours: {
      found: log?.findings.map(({ code, index }) => [code, index]),
      sealed: log?.sealedSize,
      exit: product.exit,
      beside: log?.damaged.map(({ file }) => file),
    },
    theirs: {
      found: theirs.findings.map(({ code, index }) => [code, index]),
      sealed: theirs.sealedSize,
      exit: other.exit,
      beside: [...new Set(theirs.problems.map((text) => text.split(" ")[0]))].sort(),
    },
  };
}
