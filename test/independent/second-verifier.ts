import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import t from "tap";
import { run } from "../cli/export-rig.ts";
import { pynacl } from "./tool.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

/** Runs a program of the second implementation, which was written from SPEC.md and the vectors alone. */
export function python(script: string, words: readonly string[], input = ""): Said {
  const told = spawnSync(pynacl.command, [join(here, script), ...words], { input, encoding: "utf8", maxBuffer: 4 << 20 });
  return { exit: told.status, stdout: told.stdout, stderr: told.stderr };
}

interface Said {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The second verifier, one process for all that a test file asks. */
let ask: ((words: readonly string[]) => Promise<Said>) | null = null;

function startVerifier(): (words: readonly string[]) => Promise<Said> {
  const child = spawn(pynacl.command, [join(here, "verify_audit.py"), "--each"], { stdio: ["pipe", "pipe", "inherit"] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  t.teardown(() => child.stdin.end());
  return async (words) => {
    child.stdin.write(`${JSON.stringify(words)}\n`);
    const answer = await answers.next();
    if (answer.done === true) throw new Error("the second verifier has ended");
    return JSON.parse(answer.value) as Said;
  };
}

/** What each verifier finds in a folder, and whether it calls it good; `options` are those that both take. */
export async function verdicts(folder: string, ...options: string[]) {
  const product = await run(["audit", "verify", folder, ...options, "--json"]);
  const [log] = JSON.parse(product.stdout) as {
    findings: { code: string; index: number }[];
    sealedSize: number;
    damaged: { file: string }[];
  }[];
  ask ??= startVerifier();
  const other = await ask([folder, ...options, "--json"]);
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
