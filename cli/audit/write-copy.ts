import { exportedFiles, exportsFolder, logFolderNames } from "../../agent/audit/index.ts";
import type { Custody, ExportGrant } from "../../agent/custody/index.ts";
import { TreeWriter, type WrittenTree } from "../../agent/media/index.ts";
import { tilesBetween } from "../../protocol/audit/index.ts";
import { utf8 } from "../../protocol/base/index.ts";
import type { Frame } from "../frame/index.ts";
import { qrPng } from "../qr/index.ts";
import { DeviceSummary } from "./device-summary.ts";
import { summaryCsv } from "./summary-csv.ts";
import { summaryHtml } from "./summary-page.ts";
import { keepHeapSmall } from "./verify.ts";

/** What a copy holds that its entries do not prove; `audit verify` compares them with the list. */
export const copyNames = {
  custody: "custody.json",
  proof: "proof.json",
  html: "summary.html",
  csv: "summary.csv",
  qr: "checkpoint.png",
} as const;

/** A copy of a log that is to be written. */
export interface CopyToWrite {
  readonly mount: string;
  readonly grant: ExportGrant;
  readonly custody: Custody;
}

/**
 * Writes what the node granted as an export, and reads it back: the folder and its files with their hashes. Throws MEDIA_*,
 * AUDIT_FOLDER_UNREADABLE.
 */
export function writeCopy(frame: Frame, { mount, grant, custody }: CopyToWrite): WrittenTree & { readonly folder: string } {
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
    return { ...written, folder: [mount.replace(/\/+$/, ""), ...folders].join("/") };
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
    { path: copyNames.proof, bytes: json(proof) },
    { path: copyNames.custody, bytes: json({ ...about, from: grant.from, size: grant.size, time, medium, login, person }) },
    { path: copyNames.html, bytes: utf8(summaryHtml(summary, { grant, carried, at })) },
    { path: copyNames.csv, bytes: utf8(summaryCsv(summary)) },
    { path: copyNames.qr, bytes: qrPng(Buffer.from(checkpoint).toString("utf8")) },
  ];
}
