import { sameBytes, TidegateError } from "../../protocol/base/index.ts";
import { importVerifyKey } from "../../protocol/keys/index.ts";
import { decodeRoot, encodeRoot, type RootDocument } from "../../protocol/trust/index.ts";
import { RootError } from "./codes.ts";

/** What a new root is to change of the one before. */
export interface RootChange {
  /** Ed25519 public keys. */
  readonly add: readonly Uint8Array[];
  readonly remove: readonly Uint8Array[];
  /** Null keeps it. */
  readonly threshold: number | null;
  readonly raiseEpoch: boolean;
}

/** The root after `before`. Throws ROOT_CHANGE. */
export function changedRoot(before: RootDocument, vaultId: Uint8Array, change: RootChange): RootDocument {
  const has = (list: readonly Uint8Array[], key: Uint8Array) => list.some((each) => sameBytes(each, key));
  for (const key of change.add) {
    if (has(before.rootKeys, key)) throw refused("a key that is to be added is one of the root already");
  }
  for (const key of change.remove) {
    if (!has(before.rootKeys, key)) throw refused("a key that is to be removed is none of the root");
  }
  const rootKeys = [...before.rootKeys.filter((key) => !has(change.remove, key)), ...change.add];
  const threshold = change.threshold ?? before.threshold;
  const same = change.add.length + change.remove.length === 0 && threshold === before.threshold && !change.raiseEpoch;
  if (same) throw refused("nothing would change");
  if (threshold < 1 || threshold > rootKeys.length) throw refused(`${threshold} of ${rootKeys.length} keys can never sign`);
  const next: RootDocument = {
    ...before,
    vaultId,
    version: before.version + 1,
    vaultEpoch: before.vaultEpoch + (change.raiseEpoch ? 1 : 0),
    rootKeys,
    threshold,
  };
  try {
    for (const key of change.add) importVerifyKey(key);
    return decodeRoot(encodeRoot(next));
  } catch (cause) {
    if (!(cause instanceof TidegateError)) throw cause;
    throw refused(cause.message, cause);
  }
}

function refused(message: string, cause?: unknown): RootError {
  return new RootError("ROOT_CHANGE", message, { cause });
}
