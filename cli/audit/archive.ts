import { callAdmin } from "../../agent/admin/index.ts";
import { archiveProof, verifyFolder } from "../../agent/audit/index.ts";
import type { ArchiveGrant, Custody } from "../../agent/custody/index.ts";
import type { WrittenTree } from "../../agent/media/index.ts";
import { tilePath, tileWidth } from "../../protocol/audit/index.ts";
import { TidegateError, toHex } from "../../protocol/base/index.ts";
import { CliError, type Frame } from "../frame/index.ts";
import { identifyMedium, loginName, runningFolder } from "../media/index.ts";
import { writeCopy } from "./write-copy.ts";

export interface ArchiveOptions {
  readonly data?: string;
  readonly person?: string;
  /** Entries that stay at the node, at least. */
  readonly keep: number;
  /** Takes a medium that could only be read back through the machine's memory. */
  readonly acceptCache?: boolean;
}

/**
 * `tidegate audit archive`: copies what the running node holds of its log to a medium, verifies the copy there, and has the node free the old
 * part. Nothing is freed where anything of it fails.
 */
export async function archiveLog(frame: Frame, mount: string, options: ArchiveOptions): Promise<void> {
  const folder = runningFolder(frame, options);
  const custody: Custody = { medium: identifyMedium(mount), login: loginName(), person: options.person ?? null };
  const call = (path: string, body: object) => callAdmin(folder, { method: "POST", path, body });
  const grant = (await call("/v1/audit/archive", { custody, keep: options.keep })) as ArchiveGrant;
  const { from, size, until } = grant;
  const range = { custody, from, size };
  try {
    const written = writeCopy(frame, { mount, grant, custody });
    await verifyCopy(frame, written.folder, grant);
    const { bytes, readBackFrom } = written;
    const proof = toHex(archiveProof(Buffer.from(grant.challenge, "base64"), bundleHashes(written, grant)));
    const ended = { bytes, readBackFrom, proof, acceptCache: options.acceptCache === true };
    await call("/v1/audit/archive/end", { ...range, ended });
    frame.output.result({ folder: written.folder, from, size, until, bytes, readBackFrom, medium: custody.medium }, () => [
      `${written.folder}: entries ${from} to ${size - 1}, ${bytes} bytes, written, read back and verified`,
      `entries ${from} to ${until - 1} were freed at the node: they are on medium ${custody.medium.serial} only`,
      "safe to remove; keep it, and copy it: without it nobody can read those entries again",
      `verify both together: tidegate audit verify DATA --archive ${written.folder}`,
    ]);
  } catch (error) {
    const code = error instanceof TidegateError ? error.code : "BUG";
    // The log says that it went wrong, if the node is still there to say so and did not say so itself.
    if (code !== "AUDIT_ARCHIVE_UNVERIFIED") await call("/v1/audit/archive/end", { ...range, ended: { code } }).catch(() => {});
    throw error;
  }
}

/** The copy as an auditor would find it, alone. */
async function verifyCopy(frame: Frame, path: string, { from, size, vaultId }: ArchiveGrant): Promise<void> {
  const bar = frame.progress("verifying", size - from);
  try {
    const onProgress = (done: number) => bar.update(Math.min(done, size - from));
    const { ok, findings, damaged } = await verifyFolder({ path, since: from, anchors: [], vaultId, onProgress });
    if (ok) return;
    const [first] = findings;
    const files = damaged.map(({ file, says }) => `${file} ${says}`).join(", ");
    const says = first === undefined ? files : `${first.code} at ${first.index}: ${first.says}`;
    throw new CliError("CLI_FILE", `the copy does not verify: ${says}`, {
      hint: "Nothing was freed. Where the node's own folder verifies, take another medium.",
    });
  } finally {
    bar.end();
  }
}

/** SHA-256 of the bundles that are to be freed, as they were read back. */
function bundleHashes({ files }: WrittenTree, { from, until }: ArchiveGrant): Uint8Array[] {
  const read = new Map(files.map(({ path, hash }) => [path, hash]));
  return Array.from({ length: (until - from) / tileWidth }, (_, at) => {
    const path = tilePath({ level: "entries", index: from / tileWidth + at, width: tileWidth });
    return read.get(path) ?? new Uint8Array(0);
  });
}
