import { closeSync, constants, openSync, rmSync, writeFileSync } from "node:fs";
import { CliError, fileHint } from "./exit.ts";

/** Writes a secret into a new file of the owner's alone (0600); an existing one is never overwritten. Throws CLI_FILE. */
export function writeSecretFile(path: string, text: string | Uint8Array): void {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new CliError("CLI_FILE", `cannot make ${path} (${code})`, {
      cause,
      hint: code === "EEXIST" ? "It exists, and what holds a secret is never written over: name another file." : fileHint(code),
    });
  }
  try {
    writeFileSync(descriptor, text);
  } catch (cause) {
    rmSync(path, { force: true });
    throw cause;
  } finally {
    closeSync(descriptor);
  }
}
