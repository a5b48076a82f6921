import { join } from "node:path";
import {
  type Anchor,
  AuditError,
  decodeCheckpoint,
  maxNoteBytes,
  type Note,
  parseOrigin,
  verifyCosignature,
  verifyNote,
  witnessKeyName,
} from "../../protocol/audit/index.ts";
import { asBytesUpTo, asList, decodeTcbor, TidegateError, toHex } from "../../protocol/base/index.ts";
import { decodeEnvelope, maxRootEnvelopeBytes } from "../../protocol/envelope/index.ts";
import { importVerifyKey } from "../../protocol/keys/index.ts";
import {
  applyStatements,
  decodeRoot,
  type MemberStatement,
  newestRoot,
  startTrust,
  vaultIdOf,
} from "../../protocol/trust/index.ts";
import { readOptional } from "./bounded-file.ts";
import { AuditLogError } from "./errors.ts";
import type { LogFolder } from "./log-folder.ts";
import { logFolderNames } from "./mirror.ts";

/** What an anchor of a log is checked with. */
export interface KnownKeys {
  readonly node: string;
  readonly logKey: ReturnType<typeof importVerifyKey>;
  readonly trustDomain: string;
  /** Of the newest root document. */
  readonly witnessKeys: readonly Uint8Array[];
}

/** Most roots of a chain beside a log. */
const maxRoots = 1024;

/** The member statement beside the log, under the chain of roots beside it. Throws AUDIT_FOLDER_KEYS. */
export function keysOf(folder: LogFolder): {
  member: MemberStatement;
  vaultId: string;
  trustDomain: string;
  witnessKeys: readonly Uint8Array[];
} {
  if (folder.member === null || folder.roots === null) {
    throw keysRefused(`${folder.path} holds no member statement or no root documents`);
  }
  try {
    const roots = asList(decodeTcbor(folder.roots), "roots", maxRoots).map((one) =>
      asBytesUpTo(one, "root", maxRootEnvelopeBytes),
    );
    const [first, ...more] = roots;
    if (first === undefined) throw keysRefused("no root documents");
    const envelope = decodeEnvelope(first);
    let trust = startTrust([first], { version: decodeRoot(envelope.payload).version, id: envelope.id });
    for (const statement of [...more, folder.member]) trust = applyStatements(trust, [statement]).state;
    const [held] = trust.members.values();
    if (held === undefined) throw keysRefused("no member statement");
    const { trustDomain, witnessKeys } = newestRoot(trust).document;
    return { member: held.statement, vaultId: toHex(vaultIdOf(trust)), trustDomain, witnessKeys };
  } catch (cause) {
    if (cause instanceof AuditLogError || !(cause instanceof TidegateError)) throw cause;
    throw keysRefused(`the member statement does not verify: ${cause.message}`, cause);
  }
}

/** A checkpoint of this log that somebody kept, as an anchor. Throws AUDIT_ANCHOR_INVALID. */
export function anchorOf(
  anchor: { readonly bytes: Uint8Array; readonly source: string },
  folder: LogFolder,
  known: KnownKeys,
): Anchor {
  try {
    const checkpoint = decodeCheckpoint(anchor.bytes);
    const name = parseOrigin(checkpoint.origin);
    if (name.node !== known.node) throw anchorRefused(`${anchor.source} is a checkpoint of another node's log`);
    if (!verifyNote(checkpoint.note, { name: checkpoint.origin, key: known.logKey }) && !isCosigned(checkpoint.note, known)) {
      throw anchorRefused(`${anchor.source} is signed neither by the node's log key nor by a witness that the root names`);
    }
    if (!folder.checkpoints.every((bytes) => sameOrigin(bytes, checkpoint.origin))) {
      throw anchorRefused(`${anchor.source} is a checkpoint of another log of the node, serial ${name.serial}`);
    }
    return { size: checkpoint.size, root: checkpoint.root, source: anchor.source };
  } catch (cause) {
    if (cause instanceof AuditError) throw anchorRefused(`${anchor.source} is not a checkpoint: ${cause.message}`, cause);
    throw cause;
  }
}

/** True where a witness that the root documents name cosigned the note. */
function isCosigned(note: Note, { trustDomain, witnessKeys }: KnownKeys): boolean {
  const names = new Set(
    note.signatures.map(({ name }) => name).filter((name) => name.startsWith(witnessKeyName(trustDomain, ""))),
  );
  const keys = witnessKeys.map(importVerifyKey);
  return [...names].some((name) => keys.some((key) => verifyCosignature(note, { name, key }) !== null));
}

/**
 * Heads of this log that a vault's log beside it holds cosigned, and that the copy reaches: one that is newer than the copy only says that
 * the copy was taken before.
 */
export function witnessedHeads(beside: readonly string[], folder: LogFolder, known: KnownKeys): Anchor[] {
  const newest = folder.checkpoints.at(-1);
  if (newest === undefined) return [];
  return beside.flatMap((path): Anchor[] => {
    const file = join(path, logFolderNames.cosigned, known.node);
    const bytes = readOptional(file, maxNoteBytes);
    if (bytes === null) return [];
    try {
      const anchor = anchorOf({ bytes, source: `the cosigned head in ${file}` }, folder, known);
      return anchor.size <= decodeCheckpoint(newest).size ? [anchor] : [];
    } catch (error) {
      // Whose word it is cannot be told: it proves nothing either way.
      if (error instanceof AuditLogError || error instanceof AuditError) return [];
      throw error;
    }
  });
}

/** True also for a checkpoint that cannot be read: the verifier names that. */
function sameOrigin(bytes: Uint8Array, origin: string): boolean {
  try {
    return decodeCheckpoint(bytes).origin === origin;
  } catch (error) {
    if (error instanceof AuditError) return true;
    throw error;
  }
}

function keysRefused(message: string, cause?: unknown): AuditLogError {
  const hint = "Without the node's member statement nothing in the log can be believed; take a fresh copy of the folder.";
  return new AuditLogError("AUDIT_FOLDER_KEYS", message, { hint, cause });
}

function anchorRefused(message: string, cause?: unknown): AuditLogError {
  return new AuditLogError("AUDIT_ANCHOR_INVALID", message, {
    hint: "An anchor is an earlier checkpoint file of the same log.",
    cause,
  });
}
