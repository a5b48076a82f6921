import { join } from "node:path";
import { byIndex, hashLength, type Verdict, Verification } from "../../protocol/audit/index.ts";
import { importVerifyKey, nodeIdText } from "../../protocol/keys/index.ts";
import { readEntries } from "./bounded-file.ts";
import { alteredTiles, unlikeLines } from "./derived-files.ts";
import { LinesBeside } from "./entry-lines.ts";
import { AuditLogError } from "./errors.ts";
import { type DamagedFile, damagedFiles, lostNameOf } from "./export-list.ts";
import { unprovenFiles } from "./export-proofs.ts";
import { anchorsOf, keysOf } from "./folder-keys.ts";
import { type LogFolder, openLogFolder } from "./log-folder.ts";
import { firstPromised, isArchivedBefore, type Notice, noticesOf } from "./notices.ts";
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
  /** True where nothing was found and no file is damaged: what the exit code 0 says. */
  readonly ok: boolean;
  /**
   * Files of an export that are missing, or that no entry proves and that are not the ones of its list, and proofs that prove nothing; those of
   * the archives with their whole path.
   */
  readonly damaged: readonly DamagedFile[];
  /** Root over the sealed entries, base64 as in the checkpoint; null where nothing is sealed. */
  readonly root: string | null;
  /** What the log says that it does not hold, or not here: neither is tampering. */
  readonly notices: readonly Notice[];
  /** Of an export whose folder was renamed the name that it had: without it, it counts as a copy that has to reach the end of every archive. */
  readonly lostName: string | null;
  /** True where the entries before `from` are missing because they were archived, and the sealed log says so. */
  readonly archived: boolean;
}

/** Entry bundles between two reports of progress: 4,096 entries. */
const bundlesPerStep = 16;

/**
 * Verifies a log folder alone and offline. Throws AUDIT_FOLDER_UNREADABLE, AUDIT_FOLDER_EMPTY, AUDIT_FOLDER_KEYS and AUDIT_ANCHOR_INVALID:
 * what cannot be verified is an error, never a log without findings.
 */
export async function verifyFolder(options: VerifyFolderOptions): Promise<FolderVerdict> {
  const { path, since = 0, archives = [] } = options;
  const folder = openLogFolder(path, { since, archives });
  if (folder.begins === folder.from) return told(await verifyOpened(folder, options), options);
  // What is missing at the beginning may lie on media; then a leaf among the others, sealed, says so.
  const later = openLogFolder(path, { since: folder.begins, archives });
  if (later.hashes().length < later.from * hashLength) return told(await verifyOpened(folder, options), options);
  const verified = await verifyOpened(later, options);
  if (!verified.verdict.archived) return told(await verifyOpened(folder, options), options);
  if (verified.promised === null) return told(verified, options);
  // An archive that is here ought to hold what is missing: then it is missing, and not somewhere else.
  const whole = openLogFolder(path, { since: Math.max(since, verified.promised), archives });
  return told(await verifyOpened(whole, options), options);
}

/** What a log's entries show; `promised` is the first one that the archives ought to hold and do not. */
interface Verified {
  readonly verdict: Omit<FolderVerdict, "ok" | "damaged">;
  readonly unproven: readonly DamagedFile[];
  readonly promised: number | null;
}

/** The whole verdict, with the files beside the log. */
function told({ verdict, unproven }: Verified, { path, archives = [] }: VerifyFolderOptions): FolderVerdict {
  const others = archives.flatMap((archive) =>
    damagedFiles(archive).map(({ file, says }) => ({ file: join(archive, file), says })),
  );
  // What is not as listed need not be told once more for what it does not prove.
  const byName = new Map([...unproven, ...damagedFiles(path), ...others].map((each) => [each.file, each]));
  const damaged = [...byName.values()].sort((a, b) => (a.file < b.file ? -1 : 1));
  return { ...verdict, ok: verdict.findings.length === 0 && damaged.length === 0, damaged };
}

async function verifyOpened(folder: LogFolder, options: VerifyFolderOptions): Promise<Verified> {
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
  const whole = {
    ...rest,
    findings: [
      ...verdict.findings,
      ...(isAsSealed(verdict) ? [...alteredTiles(folder, verification), ...unlikeLines(unlike)] : []),
    ].sort(byIndex),
    from: folder.from,
    notices: noticesOf(notices),
    lostName: lostNameOf(options.path, folder.lines.from),
    archived: folder.from > 0 && isArchivedBefore(notices, folder.from),
    checkpoint: newest === undefined ? null : Buffer.from(newest).toString("utf8"),
    path: options.path,
    vaultId,
    node,
    nodeName: member.name,
    root: root === null ? null : Buffer.from(root).toString("base64"),
  };
  return { verdict: whole, unproven, promised: firstPromised(notices, folder.archivedSizes, folder.from) };
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
