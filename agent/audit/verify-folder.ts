import {
  byIndex,
  type Finding,
  hashLength,
  tilePath,
  tileWidth,
  type Verdict,
  Verification,
} from "../../protocol/audit/index.ts";
import { sameBytes } from "../../protocol/base/index.ts";
import { importVerifyKey, nodeIdText } from "../../protocol/keys/index.ts";
import { readEntries } from "./bounded-file.ts";
import { LinesBeside } from "./entry-lines.ts";
import { AuditLogError } from "./errors.ts";
import { damagedFiles } from "./export-list.ts";
import { unprovenFiles } from "./export-proofs.ts";
import { anchorsOf, keysOf } from "./folder-keys.ts";
import { type LogFolder, openLogFolder } from "./log-folder.ts";
import { logFolderNames } from "./mirror.ts";
import { isArchivedBefore, type Notice, noticesOf } from "./notices.ts";
import { scanBundles } from "./scan-bundles.ts";

export interface VerifyFolderOptions {
  /** One log's folder, see `findLogFolders`. */
  readonly path: string;
  /** Checkpoints that were kept elsewhere, each with where it comes from. */
  readonly anchors: readonly { readonly bytes: Uint8Array; readonly source: string }[];
  /** Other folders of logs on the same medium: heads of this log that the vault's log holds cosigned are compared too. */
  readonly beside?: readonly string[];
  /** The copy holds nothing before this entry, and the auditor knows it; 0 where it must hold all. */
  readonly since?: number;
  /** Folders of the same log on media, for entries that are in this one no more. */
  readonly archives?: readonly string[];
  /** Vault id (hexadecimal) that the root documents must be of; null where the auditor compares it herself. */
  readonly vaultId: string | null;
  /** Threads that scan the entries beside this one; as many as pay off where it is not given. */
  readonly threads?: number;
  /** How many entries are done, and how many there will be. */
  readonly onProgress: (done: number, total: number) => void;
}

/** What an auditor is told about one log. */
export interface FolderVerdict extends Omit<Verdict, "root" | "notices"> {
  readonly path: string;
  /** Index of the first entry that was looked at: what stands before is known by its hash only. */
  readonly from: number;
  /** Hexadecimal; to be compared with what `vault init` printed. */
  readonly vaultId: string;
  readonly node: string;
  readonly nodeName: string;
  /** The newest checkpoint found, as text; null where there is none. */
  readonly checkpoint: string | null;
  /**
   * Files of an export that no entry proves and that are missing or not the ones of its list, `MANIFEST` where that is missing; and proofs
   * that prove nothing.
   */
  readonly damaged: readonly string[];
  /** Root over the sealed entries, base64 as in the checkpoint; null where nothing is sealed. */
  readonly root: string | null;
  /** What the log says that it does not hold, or not here: neither is tampering. */
  readonly notices: readonly Notice[];
  /** True where the entries before `from` are missing because they were archived, and the sealed log says so. */
  readonly archived: boolean;
}

/** Entry bundles between two reports of progress: 4,096 entries. */
const bundlesPerStep = 16;

/**
 * Verifies a log folder alone and offline. Throws AUDIT_FOLDER_UNREADABLE, AUDIT_FOLDER_KEYS and AUDIT_ANCHOR_INVALID: what cannot
 * be verified is an error, never a log without findings.
 */
export async function verifyFolder(options: VerifyFolderOptions): Promise<FolderVerdict> {
  const { path, since = 0, archives = [] } = options;
  const folder = openLogFolder(path, { since, archives });
  if (folder.begins === folder.from) return verifyOpened(folder, options);
  // What is missing at the beginning may lie on media; then a leaf among the others, sealed, says so.
  const later = openLogFolder(path, { since: folder.begins, archives });
  if (later.hashes().length < later.from * hashLength) return verifyOpened(folder, options);
  const verdict = await verifyOpened(later, options);
  return verdict.archived ? verdict : verifyOpened(folder, options);
}

async function verifyOpened(folder: LogFolder, options: VerifyFolderOptions): Promise<FolderVerdict> {
  const { member, vaultId, trustDomain, witnessKeys, everyWitnessKey } = keysOf(folder);
  if (options.vaultId !== null && options.vaultId !== vaultId) {
    throw new AuditLogError("AUDIT_FOLDER_KEYS", `the log belongs to vault ${vaultId}, not to ${options.vaultId}`, {
      hint: "Take the id from 'tidegate status' at the vault. Where it is right, this folder is of a node that another vault vouches for.",
    });
  }
  const logKey = importVerifyKey(member.logKey);
  const node = nodeIdText(member.nodeId);
  let hashes = folder.from === 0 ? null : hashesBefore(folder);
  const verification = new Verification({
    get hashes() {
      hashes ??= folder.hashes();
      return hashes;
    },
    before: folder.from === 0 ? null : { count: folder.from, successions: folder.keyLeaves },
    checkpoints: folder.checkpoints,
    member: { trustDomain, node, logKey, epochKey: importVerifyKey(member.epochKey) },
    anchors: anchorsOf({ given: options.anchors, beside: options.beside ?? [] }, folder, {
      node,
      logKey,
      trustDomain,
      witnessKeys,
    }),
  });
  const unlike = await scanFolder(folder, verification, options);
  const verdict = verification.finish();
  const newest = folder.checkpoints.at(-1);
  const { root, notices, ...rest } = verdict;
  const unproven = unprovenFiles(options.path, {
    trustDomain,
    witnessKeys: everyWitnessKey,
    head: isAsSealed(verdict) ? (newest ?? null) : null,
  });
  return {
    ...rest,
    findings: [
      ...verdict.findings,
      ...(isAsSealed(verdict) ? [...alteredTiles(folder, verification), ...unlikeLines(unlike)] : []),
    ].sort(byIndex),
    from: folder.from,
    notices: noticesOf(notices),
    archived: folder.from > 0 && isArchivedBefore(notices, folder.from),
    checkpoint: newest === undefined ? null : Buffer.from(newest).toString("utf8"),
    damaged: [...new Set([...damagedFiles(options.path), ...unproven])].sort(),
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

/** Scans all entries into `verification`; the index of the first one that its line differs from, null where none does. */
async function scanFolder(
  folder: LogFolder,
  verification: Verification,
  { threads, onProgress }: VerifyFolderOptions,
): Promise<number | null> {
  const lines = new LinesBeside(folder.lines.path);
  try {
    let bundle = 0;
    let done = 0;
    for await (const entries of scanBundles(folder.bundles, verification.log, threads)) {
      verification.add(entries);
      // Read once more, from memory by now: the threads keep to themselves what they read.
      if (lines.wanted && bundle >= folder.archived) lines.compare(readEntries(folder.bundles[bundle] as string));
      bundle += 1;
      done += entries.claims.length;
      if (bundle % bundlesPerStep === 0) onProgress(done, folder.promised - folder.from);
    }
    const unlike = lines.end();
    return unlike === null ? null : folder.lines.from + unlike;
  } finally {
    lines.close();
  }
}

/** True where the entries are what was sealed, whether or not more of them follow. */
function isAsSealed(verdict: Verdict): boolean {
  return verdict.findings.every(({ code }) => code === "UNSEALED-TAIL");
}

/** Hash tiles that differ from the entries although the entries are as sealed: other people's tools would fail on them. */
function alteredTiles(folder: LogFolder, verification: Verification): Finding[] {
  const findings: Finding[] = [];
  for (const { level, index, width } of folder.tiles) {
    const place = { level: Number(level), index, width };
    const expected = verification.tile(place);
    if (expected !== null && sameBytes(folder.readTile(place), expected)) continue;
    findings.push({
      code: "EDIT",
      index: index * tileWidth ** (place.level + 1),
      says: `${tilePath(place)} does not hold the hashes of the entries, which are as sealed`,
    });
  }
  return findings;
}

/** Lines for people and `grep` that say something else than the entries, from `index` on. */
function unlikeLines(index: number | null): Finding[] {
  if (index === null) return [];
  const says = `from entry ${index} on ${logFolderNames.lines} does not hold what the entry bundles hold`;
  return [{ code: "EDIT", index, says }];
}
