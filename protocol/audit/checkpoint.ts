import { assert } from "../base/index.ts";
import { AuditError } from "./errors.ts";
import { decodeNote, type Note, type NoteSigner, signNote } from "./note.ts";
import { epochKeyName } from "./origin.ts";
import { hashLength } from "./tree-hash.ts";

/** Head of a log: how many leaves, and the root over them (32 bytes). */
export interface TreeHead {
  readonly size: number;
  readonly root: Uint8Array;
}

/** A checkpoint as read; its signatures are not verified yet. */
export interface Checkpoint extends TreeHead {
  readonly origin: string;
  readonly note: Note;
}

/** The two keys that a log of ours signs its checkpoints with. */
export interface CheckpointKeys {
  readonly log: NoteSigner["key"];
  readonly epoch: NoteSigner["key"];
  /** Number of the epoch key. */
  readonly epochNumber: number;
}

/** The lines of a checkpoint that are signed: origin, size and root in base64. */
export function checkpointText(origin: string, head: TreeHead): string {
  assert(head.root.length === hashLength, "a root has 32 bytes");
  return `${origin}\n${head.size}\n${Buffer.from(head.root).toString("base64")}\n`;
}

/** Signs a C2SP tlog-checkpoint: one line by the static log key, one by the epoch key. No extension lines. */
export function signCheckpoint(origin: string, head: TreeHead, keys: CheckpointKeys): Uint8Array {
  return signNote(checkpointText(origin, head), [
    { name: origin, key: keys.log },
    { name: epochKeyName(origin, keys.epochNumber), key: keys.epoch },
  ]);
}

/** Reads a checkpoint; extension lines are refused, as no log of ours has any. Throws AUDIT_CHECKPOINT_MALFORMED. */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const note = decodeNote(bytes);
  const [origin, size, root, end, ...more] = note.text.split("\n");
  if (origin === undefined || origin === "" || size === undefined || root === undefined || end !== "" || more.length > 0) {
    throw malformed("a checkpoint has three lines");
  }
  if (!/^(0|[1-9][0-9]{0,15})$/.test(size) || !Number.isSafeInteger(Number(size)))
    throw malformed("a tree size that is no number");
  const hash = Buffer.from(root, "base64");
  if (hash.length !== hashLength || hash.toString("base64") !== root) throw malformed("a root that is not 32 bytes in base64");
  return { origin, size: Number(size), root: new Uint8Array(hash), note };
}

function malformed(why: string): AuditError {
  return new AuditError("AUDIT_CHECKPOINT_MALFORMED", why);
}
