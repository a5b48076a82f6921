import { closeSync, constants, openSync, writeSync } from "node:fs";
import { CliError } from "./exit.ts";

/** Writes a secret into a new file of the owner's alone (0600); an existing one is never overwritten. Throws CLI_FILE. */
export function writeSecretFile(path: string, text: string): void {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  } catch (cause) {
    throw new CliError("CLI_FILE", `cannot make ${path}: it exists, or the folder cannot be written`, { cause });
  }
  writeSync(descriptor, text);
  closeSync(descriptor);
}
