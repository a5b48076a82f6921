import { join } from "node:path";
import {
  type Anchor,
  AuditError,
  decodeCheckpoint,
  type Finding,
  foldHashes,
  hashLength,
  maxNoteBytes,
  type Note,
  parseOrigin,
  splitHashes,
  tilePath,
  tileWidth,
  type Verdict,
  verifyCosignature,
  verifyLog,
  verifyNote,
  witnessKeyName,
} from "../../protocol/audit/index.ts";
import { asBytesUpTo, asList, concat, decodeTcbor, sameBytes, TidegateError, toHex } from "../../protocol/base/index.ts";
import { decodeEnvelope, maxRootEnvelopeBytes } from "../../protocol/envelope/index.ts";
import { importVerifyKey, nodeIdText } from "../../protocol/keys/index.ts";
import {
  applyStatements,
  decodeRoot,
  type MemberStatement,
  newestRoot,
  startTrust,
  vaultIdOf,
} from "../../protocol/trust/index.ts";
import { AuditLogError } from "./errors.ts";
import { damagedFiles } from "./export-list.ts";
import { type LogFolder, openLogFolder, readOptional } from "./log-folder.ts";
import { logFolderNames } from "./mirror.ts";

export interface VerifyFolderOptions {
  /** One log's folder, see `findLogFolders`. */
  readonly path: string;
  /** Checkpoints that were kept elsewhere, each with where it comes from. */
  readonly anchors: readonly { readonly bytes: Uint8Array; readonly source: string }[];
  /** Other folders of logs on the same medium: heads of this log that the vault's log holds cosigned are compared too. */
  readonly beside?: readonly string[];
  /** The copy holds nothing before this entry, and the auditor knows it; 0 where it must hold all. */
  readonly since?: number;
  /** Vault id (hexadecimal) that the root documents must be of; null where the auditor compares it herself. */
  readonly vaultId: string | null;
  /** How many entries there will be, once that is known, and how many are done. */
  readonly onProgress: (done: number, total: number) => void;
}

/** What an auditor is told about one log. */
export interface FolderVerdict extends Omit<Verdict, "root" | "hashes"> {
  readonly path: string;
  /** Index of the first entry that was looked at: what stands before is known by its hash only. */
  readonly from: number;
  /** Hexadecimal; to be compared with what `vault init` printed. */
  readonly vaultId: string;
  readonly node: string;
  readonly nodeName: string;
  /** The newest checkpoint found, as text; null where there is none. */
  readonly checkpoint: string | null;
  /** Files of an export that no entry proves and that are missing or not the ones of its list; `MANIFEST` where that is missing. */
  readonly damaged: readonly string[];
  /** Root over the sealed entries, base64 as in the checkpoint; null where nothing is sealed. */
  readonly root: string | null;
}

interface KnownKeys {
  readonly node: string;
  readonly logKey: ReturnType<typeof importVerifyKey>;
  readonly trustDomain: string;
  /** Of the newest root document. */
  readonly witnessKeys: readonly Uint8Array[];
}

/** Most roots of a chain beside a log. */
const maxRoots = 1024;

/**
 * Verifies a log folder alone and offline. Throws AUDIT_FOLDER_UNREADABLE, AUDIT_FOLDER_KEYS and AUDIT_ANCHOR_INVALID: what cannot
 * be verified is an error, never a log without findings.
 */
export function verifyFolder(options: VerifyFolderOptions): FolderVerdict {
  const folder = openLogFolder(options.path, { since: options.since ?? 0 });
  const { member, vaultId, trustDomain, witnessKeys } = keysOf(folder);
  if (options.vaultId !== null && options.vaultId !== vaultId) {
    throw new AuditLogError("AUDIT_FOLDER_KEYS", `the log belongs to vault ${vaultId}, not to ${options.vaultId}`, {
      hint: "Take the id from 'tidegate status' at the vault. Where it is right, this folder is of a node that another vault vouches for.",
    });
  }
  const logKey = importVerifyKey(member.logKey);
  const node = nodeIdText(member.nodeId);
  let hashes = folder.from === 0 ? null : hashesBefore(folder);
  const verdict = verifyLog({
    leaves: folder.leaves,
    get hashes() {
      hashes ??= folder.hashes();
      return hashes;
    },
    before: folder.from === 0 ? null : { count: folder.from, successions: folder.keyLeaves },
    checkpoints: folder.checkpoints,
    member: { trustDomain, node, logKey, epochKey: importVerifyKey(member.epochKey) },
    anchors: [
      ...options.anchors.map((anchor) => anchorOf(anchor, folder, { node, logKey, trustDomain, witnessKeys })),
      ...witnessedHeads(options.beside ?? [], folder, { node, logKey, trustDomain, witnessKeys }),
    ],
    onProgress: (done) => options.onProgress(done, folder.promised - folder.from),
  });
  const newest = folder.checkpoints.at(-1);
  const { root, hashes: _found, ...rest } = verdict;
  return {
    ...rest,
    findings: [...verdict.findings, ...alteredTiles(folder, verdict), ...unlikeLines(folder, verdict)],
    from: folder.from,
    checkpoint: newest === undefined ? null : Buffer.from(newest).toString("utf8"),
    damaged: damagedFiles(options.path),
    path: options.path,
    vaultId,
    node,
    nodeName: member.name,
    root: root === null ? null : Buffer.from(root).toString("base64"),
  };
}

/** A copy that begins later needs the hashes of what it leaves out: without them nothing in it leads to a checkpoint. */
function hashesBefore(folder: LogFolder): Uint8Array {
  const hashes = folder.hashes();
  if (hashes.length >= folder.from * hashLength) return hashes;
  throw new AuditLogError("AUDIT_FOLDER_UNREADABLE", `${folder.path} lacks hash tiles of the entries before ${folder.from}`, {
    hint: "A copy that begins later has the hash tiles from the beginning; take a fresh one.",
  });
}

/** The member statement beside the log, under the chain of roots beside it. */
function keysOf(folder: LogFolder): {
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

function anchorOf(anchor: VerifyFolderOptions["anchors"][number], folder: LogFolder, known: KnownKeys): Anchor {
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

/** True also for a checkpoint that cannot be read: the verifier names that. */
function sameOrigin(bytes: Uint8Array, origin: string): boolean {
  try {
    return decodeCheckpoint(bytes).origin === origin;
  } catch (error) {
    if (error instanceof AuditError) return true;
    throw error;
  }
}

/** Hash tiles that differ from the entries although the entries are as sealed: other people's tools would fail on them. */
function alteredTiles(folder: LogFolder, verdict: Verdict): Finding[] {
  if (verdict.findings.some(({ code }) => code !== "UNSEALED-TAIL")) return [];
  let level = 0;
  let hashes = verdict.hashes;
  const findings: Finding[] = [];
  for (const place of folder.tiles) {
    for (; level < Number(place.level); level += 1) hashes = levelAbove(hashes);
    const from = place.index * tileWidth * hashLength;
    const expected = hashes.subarray(from, from + place.width * hashLength);
    if (expected.length === place.width * hashLength && sameBytes(folder.readTile(place), expected)) continue;
    const index = place.index * tileWidth ** (level + 1);
    findings.push({
      code: "EDIT",
      index,
      says: `${tilePath(place)} does not hold the hashes of the entries, which are as sealed`,
    });
  }
  return findings;
}

/** Lines for people and `grep` that say something else than the entries. */
function unlikeLines(folder: LogFolder, verdict: Verdict): Finding[] {
  const index = folder.unlikeLine();
  if (index === null || verdict.findings.some(({ code }) => code !== "UNSEALED-TAIL")) return [];
  const says = `from entry ${index} on ${logFolderNames.lines} does not hold what the entry bundles hold`;
  return [{ code: "EDIT", index, says }];
}

function levelAbove(hashes: Uint8Array): Uint8Array {
  const step = tileWidth * hashLength;
  const full = Math.floor(hashes.length / step);
  return concat(
    ...Array.from({ length: full }, (_, tile) => foldHashes(splitHashes(hashes.subarray(tile * step, (tile + 1) * step)))),
  );
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
