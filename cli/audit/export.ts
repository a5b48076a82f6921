import { callAdmin } from "../../agent/admin/index.ts";
import type { Custody, ExportGrant } from "../../agent/custody/index.ts";
import { TidegateError } from "../../protocol/base/index.ts";
import type { Frame } from "../frame/index.ts";
import { identifyMedium, loginName, runningFolder } from "../media/index.ts";
import { qrLines } from "../qr/index.ts";
import { sinceOf } from "./verify.ts";
import { copyNames, writeCopy } from "./write-copy.ts";

export interface ExportOptions {
  readonly data?: string;
  readonly person?: string;
  /** First entry to hold, or the file of a checkpoint whose entries are known; all where it is absent. */
  readonly since?: string;
}

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
    const written = writeCopy(frame, { mount, grant, custody });
    const { bytes, readBackFrom } = written;
    await call("/v1/audit/export/end", { ...range, ended: { bytes, readBackFrom } });
    const checkpoint = Buffer.from(grant.checkpoint, "base64");
    const told = {
      folder: written.folder,
      from: grant.from,
      size: grant.size,
      files: written.files.length,
      bytes,
      readBackFrom,
    };
    frame.output.result({ ...told, checkpoint: checkpoint.toString("utf8"), medium: custody.medium }, () => [
      `${written.folder}: entries ${grant.from} to ${grant.size - 1}, ${written.files.length} files, ${bytes} bytes, written and read back equal`,
      ...(readBackFrom === "cache" ? ["read back through this machine's memory: the file system cannot read past it"] : []),
      "safe to remove",
      "",
      "Keep this checkpoint on paper: with it nobody can cut or rewrite these entries unseen.",
      ...checkpoint.toString("utf8").trimEnd().split("\n"),
      ...(frame.isTerminal ? qrLines(checkpoint.toString("utf8")) : [`as a QR code: ${written.folder}/${copyNames.qr}`]),
    ]);
  } catch (error) {
    const code = error instanceof TidegateError ? error.code : "BUG";
    // The log says that it went wrong, if the node is still there to say so.
    await call("/v1/audit/export/end", { ...range, ended: { code } }).catch(() => {});
    throw error;
  }
}
