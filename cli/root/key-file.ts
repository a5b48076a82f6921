import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { openSealKey, SealKeyError, type Unlock } from "../../agent/seal-key/index.ts";
import type { Secret } from "../../protocol/base/index.ts";
import { type SigningKey, signingKeyFromSeed } from "../../protocol/keys/index.ts";
import type { Frame } from "../frame/index.ts";

/**
 * Opens a sealed key file with what was given for the node; one that was sealed otherwise asks for its own passphrase. The caller wipes
 * it. Throws SEAL_KEY_*, CLI_NO_SECRET.
 */
export async function openKeyFile(frame: Frame, file: string, unlock: Unlock | null): Promise<Secret> {
  const path = resolve(file);
  if (!existsSync(path)) {
    throw new SealKeyError("SEAL_KEY_MISSING", `there is no sealed key in ${path}`, {
      hint: "Root and recovery keys are carried away after 'vault init': name the file where it is now, with --root-key or --recovery-key.",
    });
  }
  if (unlock !== null) {
    try {
      return await openSealKey({ path, unlock });
    } catch (error) {
      if (!(error instanceof SealKeyError) || error.code !== "SEAL_KEY_REFUSED" || !frame.isTerminal) throw error;
    }
  }
  const passphrase = await frame.secret({
    label: `passphrase of ${file}`,
    options: "--passphrase-file FILE or --key-file FILE",
  });
  return openSealKey({ path, unlock: { kind: "passphrase", passphrase } });
}

/** Opens sealed root keys; one that is named twice counts once. */
export async function openRootKeys(frame: Frame, files: readonly string[], unlock: Unlock | null): Promise<SigningKey[]> {
  const keys = new Map<string, SigningKey>();
  for (const file of files) {
    const seed = await openKeyFile(frame, file, unlock);
    const key = seed.use(signingKeyFromSeed);
    seed.wipe();
    keys.set(Buffer.from(key.publicKey).toString("hex"), key);
  }
  return [...keys.values()];
}
