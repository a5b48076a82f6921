import { join } from "node:path";
import {
  type Anchor,
  AuditError,
  decodeCheckpoint,
  maxNoteBytes,
  type Note,
  openCheckpoint,
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

/** A note that was kept elsewhere, and where it comes from. */
interface AnchorFile {
  readonly bytes: Uint8Array;
  readonly source: string;
}

/** Most roots of a chain beside a log. */
const maxRoots = 1024;

/** The member statement beside the log, and the witnesses of the newest root and of all, under the chain of roots beside it. Throws AUDIT_FOLDER_KEYS. */
export function keysOf(folder: LogFolder): {
  member: MemberStatement;
  vaultId: string;
  trustDomain: string;
  witnessKeys: readonly Uint8Array[];
  everyWitnessKey: readonly Uint8Array[];
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
    const everyWitnessKey = roots.flatMap((root) => decodeRoot(decodeEnvelope(root).payload).witnessKeys);
    return { member: held.statement, vaultId: toHex(vaultIdOf(trust)), trustDomain, witnessKeys, everyWitnessKey };
  } catch (cause) {
    if (cause instanceof AuditLogError || !(cause instanceof TidegateError)) throw cause;
    throw keysRefused(`the member statement does not verify: ${cause.message}`, cause);
  }
}

/**
 * The heads that `given` names, and those that `beside` holds cosigned, all of one log; the first given one says which. Throws
 * AUDIT_ANCHOR_INVALID.
 */
export function anchorsOf(
  { given, beside }: { given: readonly AnchorFile[]; beside: readonly string[] },
  folder: LogFolder,
  known: KnownKeys,
): Anchor[] {
  const anchors = given.map((anchor) => anchorOf(anchor, folder, known));
  const other = anchors.find(({ origin }) => origin !== anchors[0]?.origin);
  if (other !== undefined) throw anchorRefused(`${other.source} is of another log of the node than ${anchors[0]?.source}`);
  const all = [...anchors, ...witnessedHeads(beside, folder, known)];
  return all.filter(({ origin }) => origin === all[0]?.origin);
}

/** A checkpoint of this log that somebody kept, as an anchor. Throws AUDIT_ANCHOR_INVALID. */
function anchorOf(anchor: AnchorFile, folder: LogFolder, known: KnownKeys): Anchor {
  try {
    const { origin, note, size, root } = decodeCheckpoint(anchor.bytes);
    const { node, trustDomain, serial } = parseOrigin(origin);
    if (node !== known.node || trustDomain !== known.trustDomain) {
      throw anchorRefused(`${anchor.source} is a checkpoint of another node's log`);
    }
    if (!verifyNote(note, { name: origin, key: known.logKey }) && !isCosigned(note, known)) {
      throw anchorRefused(`${anchor.source} is signed neither by the node's log key nor by a witness that the root names`);
    }
    // Only what the log's own key signed can say that the folder is another log's: a damaged file must not turn an anchor away.
    const origins = folder.checkpoints.map((bytes) => believedOrigin(bytes, known)).filter((each) => each !== null);
    if (origins.length > 0 && !origins.includes(origin)) {
      throw anchorRefused(`${anchor.source} is a checkpoint of another log of the node, serial ${serial}`);
    }
    return { origin, size, root, source: anchor.source };
  } catch (cause) {
    if (cause instanceof AuditError) throw anchorRefused(`${anchor.source} is not a checkpoint: ${cause.message}`, cause);
    throw cause;
  }
}

/** True where one of the witness keys cosigned the note. Throws AUDIT_CHECKPOINT_UNSIGNED where a cosignature of theirs does not verify. */
export function isCosigned(note: Note, { trustDomain, witnessKeys }: Pick<KnownKeys, "trustDomain" | "witnessKeys">): boolean {
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
function witnessedHeads(beside: readonly string[], folder: LogFolder, known: KnownKeys): Anchor[] {
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

/** The log that a checkpoint is of; null where the node's log key did not sign it: the verifier names that. */
function believedOrigin(bytes: Uint8Array, known: KnownKeys): string | null {
  try {
    return openCheckpoint(bytes, known).origin;
  } catch (error) {
    if (error instanceof AuditError) return null;
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
