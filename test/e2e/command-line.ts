import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Test } from "tap";
import type { Plant } from "./plant.ts";

const tidegate = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** Runs `tidegate` on the vault's folder as a technician does; what it prints goes into the test's output. */
export function atTheVault(
  t: Test,
  plant: Plant,
  words: readonly string[],
  input = "",
): Promise<{ exit: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const args = [tidegate, ...words, "--data", plant.folder("vault")];
    const child = execFile(process.execPath, args, { env: {} }, (error, out, err) => {
      t.comment(`$ tidegate ${words.join(" ")}\n${out}${err}`);
      resolve({ exit: Number(error?.code ?? 0), out, err });
    });
    child.stdin?.end(input);
  });
}
