import { argon2, hkdfSync } from "node:crypto";
import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync, type Stats, writeSync } from "node:fs";
import { dirname } from "node:path";
import { type Random, type Secret, utf8 } from "../../protocol/base/index.ts";
import { syncFolder } from "../data-folder/index.ts";
import { SealKeyError } from "./errors.ts";

/** What opens a node's store key. The passphrase stays the caller's. */
export type Unlock =
  | { readonly kind: "passphrase"; readonly passphrase: Secret }
  /** A file of ours: owner's alone (0600 or 0400). */
  | { readonly kind: "key-file"; readonly path: string }
  /** A file that the service manager hands in (`$CREDENTIALS_DIRECTORY`); its own access control, so no mode is asked of it. */
  | { readonly kind: "credential-file"; readonly path: string };

/** Cost of Argon2id; written beside the sealed key, so that it can grow later. */
export interface PassphraseCost {
  readonly memoryKib: number;
  readonly passes: number;
}

/** RFC 9106 section 4, second recommended option; 60 to 190 ms here. */
export const defaultCost: PassphraseCost = { memoryKib: 64 * 1024, passes: 3 };
/** A sealed key that asks for more was not written by us and would only exhaust the machine; less than 8 KiB is no Argon2. */
export const costLimits = { leastMemoryKib: 8, memoryKib: 1024 * 1024, passes: 64 } as const;

/** A key file has at least the strength of the key that it seals; longer ones are accepted up to a page. */
const keyFileBytes = { least: 32, most: 4096 } as const;

/**
 * Least length of a new passphrase, bytes: what it seals can be stolen and tried on as many machines as somebody has. At ten tries a
 * second and core, as `defaultCost` costs, twelve small letters at random take a thousand cores two hundred thousand years.
 */
export const leastPassphraseBytes = 12;

/** Refuses a new passphrase that is too short. Throws SEAL_KEY_WEAK. */
export function requireStrong(passphrase: Secret): void {
  if (passphrase.length >= leastPassphraseBytes) return;
  throw new SealKeyError("SEAL_KEY_WEAK", `a passphrase has at least ${leastPassphraseBytes} characters`, {
    hint: "Take several words, or have a key file made: leave --passphrase out.",
  });
}

/** Refuses a passphrase file that others may read, as a key file is; what is no file, such as a pipe, has no mode that says so. Throws SEAL_KEY_FILE. */
export function requireOwnersAlone(path: string, status: Stats): void {
  if (!status.isFile() || process.getuid === undefined || (status.mode & 0o077) === 0) return;
  throw new SealKeyError("SEAL_KEY_FILE", `the file ${path} is open to its group or to everybody`, {
    hint: `chmod 600 ${path}`,
  });
}

/** Makes a new key file of 32 random bytes, 0600. Throws SEAL_KEY_FILE where there is something already. */
export function createKeyFile(path: string, random: Random): void {
  const bytes = random(keyFileBytes.least);
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  } catch (cause) {
    throw new SealKeyError("SEAL_KEY_FILE", `cannot make the key file ${path}`, { cause, hint: whyOf(cause, path) });
  }
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
    // Before anything is sealed under it: a key file that a power cut emptied would take the whole store with it.
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
    bytes.fill(0);
  }
  syncFolder(dirname(path));
}

/** The key encryption key (32 bytes) that `unlock` gives with this salt; the caller wipes it. Throws SEAL_KEY_FILE. */
export async function keyEncryptionKey(unlock: Unlock, salt: Uint8Array, cost: PassphraseCost): Promise<Uint8Array> {
  if (unlock.kind === "passphrase") return stretch(unlock.passphrase, salt, cost);
  const bytes = readKeyFile(unlock.path, unlock.kind === "key-file");
  try {
    return new Uint8Array(hkdfSync("sha256", bytes, salt, utf8("tidegate/1 key file"), 32));
  } finally {
    bytes.fill(0);
  }
}

function stretch(passphrase: Secret, salt: Uint8Array, cost: PassphraseCost): Promise<Uint8Array> {
  const parameters = { nonce: salt, parallelism: 1, tagLength: 32, memory: cost.memoryKib, passes: cost.passes };
  return new Promise((resolve, reject) => {
    passphrase.use((message) => {
      argon2("argon2id", { ...parameters, message }, (error, key) => (error ? reject(error) : resolve(key)));
    });
  });
}

function readKeyFile(path: string, ownersAlone: boolean): Buffer {
  const buffer = Buffer.alloc(keyFileBytes.most + 1);
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | (ownersAlone ? constants.O_NOFOLLOW : 0));
  } catch (cause) {
    throw new SealKeyError("SEAL_KEY_FILE", `cannot read the key file ${path}`, { cause, hint: whyOf(cause, path) });
  }
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile()) {
      throw new SealKeyError("SEAL_KEY_FILE", `the key file ${path} is not a file`, { hint: "Name the file itself." });
    }
    if (ownersAlone) requireOwnersAlone(path, status);
    const length = readSync(descriptor, buffer, 0, buffer.length, 0);
    if (length < keyFileBytes.least || length > keyFileBytes.most) {
      throw new SealKeyError("SEAL_KEY_FILE", `the key file ${path} has ${length} bytes, expected 32 to 4096`, {
        hint: `Is it the right file? A new one: head -c 32 /dev/urandom > FILE; chmod 600 FILE`,
      });
    }
    return buffer.subarray(0, length);
  } catch (error) {
    buffer.fill(0);
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** What to do where the system does not let a key file be opened. */
function whyOf(cause: unknown, path: string): string {
  switch ((cause as NodeJS.ErrnoException).code) {
    case "ENOENT":
      return "There is no such file: is its storage mounted, and its name right?";
    case "ELOOP":
      return "It is a link: name the file itself.";
    case "EACCES":
    case "EPERM":
      return `This user may not: ${path} must belong to the node's user, 0600.`;
    case "EEXIST":
      return "There is one already, and it is never overwritten: name another folder with --data DIR.";
    default:
      return "See that its storage is mounted, writable and has room.";
  }
}
