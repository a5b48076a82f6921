import { callAdmin } from "../../agent/admin/index.ts";
import { exportedFiles, exportsFolder, logFolderNames } from "../../agent/audit/index.ts";
import type { Custody, ExportGrant } from "../../agent/custody/index.ts";
import { TreeWriter } from "../../agent/media/index.ts";
import { tilesBetween } from "../../protocol/audit/index.ts";
import { TidegateError, utf8 } from "../../protocol/base/index.ts";
import type { Frame } from "../frame/index.ts";
import { identifyMedium, loginName, runningFolder } from "../media/index.ts";
import { qrLines, qrPng } from "../qr/index.ts";
import { DeviceSummary } from "./device-summary.ts";
import { summaryCsv, summaryHtml } from "./summary-files.ts";
import { keepHeapSmall, sinceOf } from "./verify.ts";

export interface ExportOptions {
  readonly data?: string;
  readonly person?: string;
  /** First entry to hold, or the file of a checkpoint whose entries are known; all where it is absent. */
  readonly since?: string;
}

/** Names of an export that its entries do not prove; `audit verify` compares them with the list. */
const names = {
  custody: "custody.json",
  proof: "proof.json",
  html: "summary.html",
  csv: "summary.csv",
  qr: "checkpoint.png",
} as const;

/** `tidegate audit export`: seals the running node's log and copies it to a medium, read back and compared. */
export async function exportLog(frame: Frame, mount: string, options: ExportOptions): Promise<void> {
  const folder = runningFolder(frame, options);
  const custody: Custody = { medium: identifyMedium(mount), login: loginName(), person: options.person ?? null };
  const call = (path: string, body: object) => callAdmin(folder, { method: "POST", path, body });
  const grant = (await call("/v1/audit/export", {
    custody,
    since: options.since === undefined ? 0 : sinceOf(options.since),
  })) as ExportGrant;
  const range = { custody, from: grant.from, size: grant.size };
  try {
    const written = writeExport(frame, { mount, grant, custody });
    const { bytes, readBackFrom } = written;
    await call("/v1/audit/export/end", { ...range, ended: { bytes, readBackFrom } });
    const checkpoint = Buffer.from(grant.checkpoint, "base64");
    const told = { folder: written.folder, from: grant.from, size: grant.size, files: written.files, bytes, readBackFrom };
    frame.output.result({ ...told, checkpoint: checkpoint.toString("utf8"), medium: custody.medium }, () => [
      `${written.folder}: entries ${grant.from} to ${grant.size - 1}, ${written.files} files, ${bytes} bytes, written and read back equal`,
      ...(readBackFrom === "cache" ? ["read back through this machine's memory: the file system cannot read past it"] : []),
      "safe to remove",
      "",
      "Keep this checkpoint on paper: with it nobody can cut or rewrite these entries unseen.",
      ...checkpoint.toString("utf8").trimEnd().split("\n"),
      ...(frame.isTerminal ? qrLines(checkpoint.toString("utf8")) : [`as a QR code: ${written.folder}/${names.qr}`]),
    ]);
  } catch (error) {
    const code = error instanceof TidegateError ? error.code : "BUG";
    // The log says that it went wrong, if the node is still there to say so.
    await call("/v1/audit/export/end", { ...range, ended: { code } }).catch(() => {});
    throw error;
  }
}

interface Writing {
  readonly mount: string;
  readonly grant: ExportGrant;
  readonly custody: Custody;
}

function writeExport(frame: Frame, { mount, grant, custody }: Writing) {
  const { serial, from, size } = grant;
  keepHeapSmall();
  const folders = [exportsFolder, grant.node, `${serial}-${from}-${size}`];
  const checkpoint = Buffer.from(grant.checkpoint, "base64");
  const summary = new DeviceSummary();
  const tree = new TreeWriter(mount, folders);
  const files = tilesBetween(0, size).filter((place) => place.level !== "entries" || (place.index + 1) * 256 > from).length;
  const bar = frame.progress("exporting", 2 * files);
  try {
    let done = 0;
    const log = { folder: grant.folder, from, size, checkpoint };
    const add = (leaves: readonly Uint8Array[]) => {
      for (const leaf of leaves) summary.add(leaf);
    };
    for (const { path, chunks } of exportedFiles(log, add)) {
      // The checkpoint comes after everything that it covers.
      const extra = path === logFolderNames.checkpoint ? extraFiles({ grant, custody, summary, checkpoint }) : [];
      for (const file of extra) tree.write(file.path, [file.bytes]);
      tree.write(path, chunks);
      bar.update(Math.min(files, ++done));
    }
    const written = tree.finish((compared) => bar.update(files + Math.min(files, compared)));
    return { ...written, files: written.files.length, folder: [mount.replace(/\/+$/, ""), ...folders].join("/") };
  } finally {
    bar.end();
    tree.close();
  }
}

/** What stands beside the log: proof to the last anchor, heads of other nodes, chain of custody, summary, QR code. */
function extraFiles(made: {
  grant: ExportGrant;
  custody: Custody;
  summary: DeviceSummary;
  checkpoint: Uint8Array;
}): { path: string; bytes: Uint8Array }[] {
  const { grant, custody, summary, checkpoint } = made;
  const { anchor, cosigned, time } = grant;
  const [lo, hi] = time.map((ms) => (ms === null ? null : new Date(ms).toISOString()));
  const at = hi === null ? `not before ${lo}` : `${lo}`;
  const { medium, login, person } = custody;
  const carried = `medium ${medium.serial} (label ${medium.label}), by ${login}${person === null ? "" : `, carried by ${person}`}`;
  const json = (value: unknown) => utf8(`${JSON.stringify(value, null, 2)}\n`);
  const about = { node: grant.node, name: grant.nodeName, role: grant.role, vaultId: grant.vaultId, serial: grant.serial };
  const proof =
    anchor === null ? null : { from: { size: anchor.size, root: anchor.root }, to: grant.size, hashes: anchor.proof };
  return [
    ...cosigned.map(({ name, note }) => ({ path: `${logFolderNames.cosigned}/${name}`, bytes: Buffer.from(note, "base64") })),
    { path: names.proof, bytes: json(proof) },
    { path: names.custody, bytes: json({ ...about, from: grant.from, size: grant.size, time, medium, login, person }) },
    { path: names.html, bytes: utf8(summaryHtml(summary, { grant, carried, at })) },
    { path: names.csv, bytes: utf8(summaryCsv(summary)) },
    { path: names.qr, bytes: qrPng(Buffer.from(checkpoint).toString("utf8")) },
  ];
}
