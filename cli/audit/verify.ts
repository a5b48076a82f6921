import { setFlagsFromString } from "node:v8";
import { type FolderVerdict, findArchives, findLogFolders, verifyFolder } from "../../agent/audit/index.ts";
import { decodeCheckpoint } from "../../protocol/audit/index.ts";
import { TidegateError } from "../../protocol/base/index.ts";
import { CliError, counted, exitCodes, type Frame } from "../frame/index.ts";
import { qrLines } from "../qr/index.ts";
import { anchorsByFolder, readAnchor } from "./anchor-files.ts";
import { exitCodeOfFindings, findingHints } from "./finding-hints.ts";

export interface VerifyOptions {
  readonly anchor: readonly string[];
  readonly vaultId?: string;
  /** First entry that the copy holds, as the auditor knows it; an index or the file of a checkpoint. */
  readonly since?: string;
  /** Media, or folders on them, with entries that were archived. */
  readonly archive: readonly string[];
  /** Also prints the checkpoint that was verified as a QR code. */
  readonly qr?: boolean;
}

/** A bar is worth showing from this many entries on: below, the verification takes less than a second. */
const progressFrom = 50_000;

/** Verifies every log at `path`, prints what was found, and sets the exit code of the gravest finding. */
export async function verifyLogs(frame: Frame, path: string, options: VerifyOptions): Promise<void> {
  keepHeapSmall();
  const folders = findLogFolders(path);
  const anchors = anchorsByFolder(folders, options.anchor.map(readAnchor));
  const since = options.since === undefined ? 0 : sinceOf(options.since);
  const vaultId = options.vaultId?.toLowerCase() ?? null;
  const archives = findArchives(folders, options.archive);
  const verdicts: FolderVerdict[] = [];
  for (const [at, folder] of folders.entries()) {
    const verdict = await withProgress(frame, (onProgress) =>
      verifyFolder({
        path: folder,
        anchors: anchors[at] ?? [],
        vaultId,
        since,
        archives: archives[at] ?? [],
        beside: folders,
        onProgress,
      }),
    );
    verdicts.push(verdict);
  }
  frame.output.result(verdicts, (all) => [
    ...all.flatMap((verdict) => verdictLines(verdict, options, frame.isTerminal)),
    ...(all.length > 1 ? [overallLine(all)] : []),
  ]);
  const found = exitCodeOfFindings(verdicts.flatMap((verdict) => verdict.findings));
  frame.exit(found === 0 && !verdicts.every(({ ok }) => ok) ? exitCodes.badData : found);
}

/** Entries die young: without this the place for young objects grows to 100 MB and more over a million of them. */
export function keepHeapSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}

/** An entry's index, or the size of a checkpoint whose entries are known already. */
export function sinceOf(text: string): number {
  if (/^(0|[1-9][0-9]{0,15})$/.test(text)) return Number(text);
  try {
    return decodeCheckpoint(readAnchor(text).bytes).size;
  } catch (cause) {
    if (!(cause instanceof TidegateError)) throw cause;
    throw new CliError("CLI_USAGE", `--since ${text} is neither an entry's index nor a checkpoint: ${cause.message}`, {
      cause,
      hint: "Give the index of the first entry that is wanted, such as 1200, or the file that an earlier checkpoint was kept in.",
    });
  }
}

async function withProgress(
  frame: Frame,
  work: (onProgress: (done: number, total: number) => void) => Promise<FolderVerdict>,
): Promise<FolderVerdict> {
  let bar: ReturnType<Frame["progress"]> | null = null;
  try {
    return await work((done, total) => {
      if (total < progressFrom) return;
      bar ??= frame.progress("verifying", total);
      bar.update(done);
    });
  } finally {
    (bar as ReturnType<Frame["progress"]> | null)?.end();
  }
}

function verdictLines(verdict: FolderVerdict, { qr = false, archive }: VerifyOptions, colours: boolean): string[] {
  const { findings, sealedSize, size, from, damaged, checkpoint } = verdict;
  const lines = [
    `folder   ${verdict.path}`,
    `log      ${verdict.origin ?? "unknown: no checkpoint can be believed"}`,
    `node     ${verdict.nodeName} (${verdict.node})`,
    `vault    ${verdict.vaultId}`,
    `entries  ${size}, of which ${sealedSize} are sealed`,
    ...(from === 0 ? [] : [`         the first ${from} are not in this copy: only their hashes are`]),
    ...(verdict.archived ? ["         they were archived, as the sealed log says: --archive MOUNT verifies them too"] : []),
    `root     ${verdict.root ?? "none"}`,
  ];
  for (const { code, index, says } of findings) lines.push(`${code} at ${index}: ${says}`, `  hint: ${findingHints[code]}`);
  if (findings.some(({ code, index }) => code === "DELETE" && index === 0))
    lines.push(
      "  hint: where this is an export made with --since, give --since here too: only you can know that it was asked for",
    );
  if (archive.length > 0 && findings.some(({ code }) => code === "DELETE"))
    lines.push("  hint: a notice that says ARCHIVED tells the medium of those entries: name each of them with --archive");
  if (verdict.lostName !== null && findings.some(({ code }) => code === "TRUNCATED"))
    lines.push(
      `  hint: where this is an export from before what vouches for more: its folder was named ${verdict.lostName}, which says how far it reaches; give it that name again`,
    );
  for (const { code, index, says } of verdict.notices) lines.push(`notice   ${code} by entry ${index}: ${says}`);
  for (const { file, says } of damaged) lines.push(`DAMAGED ${file} ${says}`);
  if (damaged.length > 0) lines.push("  hint: Do not believe what these files say, and take a fresh copy.");
  lines.push(verdictLine(verdict));
  if (qr && verdict.ok && checkpoint !== null) lines.push("", checkpoint.trimEnd(), ...qrLines(checkpoint, colours));
  return lines;
}

/** The one line that agrees with the exit code. */
function verdictLine({ ok, findings, damaged, from }: FolderVerdict): string {
  const whole = `${from === 0 ? "every entry" : `every entry from ${from} on`} is sealed, in its place and unchanged`;
  if (ok) return `OK: ${whole}`;
  const files = counted(damaged.length, "damaged or missing file");
  if (findings.length === 0) return `NOT OK: ${files}; ${whole}`;
  return `NOT OK: ${counted(findings.length, "finding")}${damaged.length === 0 ? "" : `, ${files}`}`;
}

function overallLine(all: readonly FolderVerdict[]): string {
  const bad = all.filter(({ ok }) => !ok).length;
  return bad === 0 ? `OK: all ${all.length} logs` : `NOT OK: ${bad} of ${all.length} logs, see above`;
}
