import { existsSync, readFileSync } from "node:fs";
import nacl from "tweetnacl";
import {
  asBytes,
  asTuple,
  asUint,
  concat,
  decodeTcbor,
  encodeTcbor,
  orNull,
  type Random,
  Secret,
  TidegateError,
} from "../../protocol/base/index.ts";
import { writeFileDurably } from "../data-folder/index.ts";
import { SealKeyError } from "./errors.ts";
import { costLimits, defaultCost, keyEncryptionKey, type PassphraseCost, requireStrong, type Unlock } from "./unlock.ts";

const magic = "tidegate-seal-key/1";
const length = { key: 32, salt: 16, nonce: 24, box: 48 } as const;

export interface SealKeyOptions {
  /** The sealed key's file. */
  readonly path: string;
  readonly unlock: Unlock;
}

/** Makes a new store key (32 random bytes), sealed into a file of its own. Throws SEAL_KEY_EXISTS, SEAL_KEY_FILE, SEAL_KEY_WEAK. */
export async function createSealKey(
  options: SealKeyOptions & { readonly random: Random; readonly cost?: PassphraseCost },
): Promise<Secret> {
  if (existsSync(options.path)) {
    throw new SealKeyError("SEAL_KEY_EXISTS", `there is a sealed key in ${options.path} already`, {
      hint: "This node was set up before. Name another folder with --data DIR.",
    });
  }
  if (options.unlock.kind === "passphrase") requireStrong(options.unlock.passphrase);
  const cost = options.unlock.kind === "passphrase" ? (options.cost ?? defaultCost) : null;
  const salt = options.random(length.salt);
  const nonce = options.random(length.nonce);
  const bytes = options.random(length.key);
  const wrapping = await keyEncryptionKey(options.unlock, salt, cost ?? defaultCost);
  const box = nacl.secretbox(bytes, nonce, wrapping);
  const file = encodeTcbor([magic, cost === null ? null : [cost.memoryKib, cost.passes], salt, nonce, box]);
  writeFileDurably(options.path, file);
  const key = new Secret(bytes);
  for (const each of [bytes, wrapping]) each.fill(0);
  return key;
}

/** Opens the store key. Throws SEAL_KEY_REFUSED, SEAL_KEY_MISSING and SEAL_KEY_FILE. */
export async function openSealKey(options: SealKeyOptions): Promise<Secret> {
  const file = decodeFile(readSealed(options.path));
  if ((file.cost === null) === (options.unlock.kind === "passphrase")) {
    throw refused(file.cost === null ? "It was sealed with a key file." : "It was sealed with a passphrase.");
  }
  const wrapping = await keyEncryptionKey(options.unlock, file.salt, file.cost ?? defaultCost);
  const bytes = nacl.secretbox.open(file.box, file.nonce, wrapping);
  wrapping.fill(0);
  if (bytes === null) throw refused("Give the passphrase or key file that this node was set up with.");
  const key = new Secret(bytes);
  bytes.fill(0);
  return key;
}

/** Throws SEAL_KEY_MISSING where there is no sealed key that could be opened. */
export function requireSealKey(path: string): void {
  readSealed(path);
}

function readSealed(path: string): Uint8Array {
  try {
    return concat(readFileSync(path));
  } catch (cause) {
    throw new SealKeyError("SEAL_KEY_MISSING", `there is no sealed key in ${path}`, {
      cause,
      hint: "Set the node up with 'tidegate vault init' or 'tidegate gateway|edge join'. One that was decommissioned has no keys any more: enrol it anew.",
    });
  }
}

function decodeFile(bytes: Uint8Array): { cost: PassphraseCost | null; salt: Uint8Array; nonce: Uint8Array; box: Uint8Array } {
  try {
    const [name, cost, salt, nonce, box] = asTuple(decodeTcbor(bytes), "seal key", 5);
    if (name !== magic) throw refused("The file is not a sealed key.");
    return {
      cost: orNull(cost, (pair) => {
        const [memoryKib, passes] = asTuple(pair, "cost", 2);
        const read = {
          memoryKib: asUint(memoryKib, "memory", costLimits.memoryKib),
          passes: asUint(passes, "passes", costLimits.passes),
        };
        if (read.memoryKib < costLimits.leastMemoryKib || read.passes < 1) throw refused("The file was altered.");
        return read;
      }),
      salt: asBytes(salt, "salt", length.salt),
      nonce: asBytes(nonce, "nonce", length.nonce),
      box: asBytes(box, "box", length.box),
    };
  } catch (error) {
    throw error instanceof TidegateError && error.code === "SEAL_KEY_REFUSED" ? error : refused("The file was altered.", error);
  }
}

function refused(hint: string, cause?: unknown): SealKeyError {
  return new SealKeyError("SEAL_KEY_REFUSED", "the store key does not open", { hint, cause });
}
