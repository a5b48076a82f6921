import { basename } from "node:path";
import { AuditLogError, type CopyName, copyNameOf } from "../../agent/audit/index.ts";
import { decodeCheckpoint, parseOrigin } from "../../protocol/audit/index.ts";
import { TidegateError } from "../../protocol/base/index.ts";
import { readLimited } from "../frame/index.ts";

/** A note that the auditor kept elsewhere. */
export interface AnchorFile {
  readonly bytes: Uint8Array;
  /** For her: where it comes from. */
  readonly source: string;
}

/** Reads an anchor; throws CLI_FILE. Nothing in it is believed yet. */
export function readAnchor(path: string): AnchorFile {
  return { bytes: readLimited(path), source: `the anchor ${path}` };
}

/**
 * For each of `folders` the anchors that its log must fit: those of its node and serial that the copy ought to reach, and of several copies of
 * one log at least the longest must reach each. Throws AUDIT_ANCHOR_INVALID for an anchor of none of them: it must never count for nothing.
 */
export function anchorsByFolder(folders: readonly string[], anchors: readonly AnchorFile[]): AnchorFile[][] {
  if (folders.length === 1) return [[...anchors]];
  const told = folders.map((path) => ({ copy: copyOf(path), anchors: [] as AnchorFile[] }));
  for (const anchor of anchors) {
    const head = headOf(anchor);
    const same = told.filter(({ copy }) => head.serial === copy.serial && (copy.node === null || copy.node === head.node));
    const longest = Math.max(...same.map(({ copy }) => copy.size));
    if (same.length === 0) {
      throw new AuditLogError("AUDIT_ANCHOR_INVALID", `${anchor.source} is of none of the logs that are verified`, {
        hint: "Verify the folder of its node and serial, or leave this anchor out.",
      });
    }
    for (const { copy, anchors: own } of same) if (copy.size >= Math.min(head.size, longest)) own.push(anchor);
  }
  return told.map((one) => one.anchors);
}

/** What a folder's name says of a copy; `size` is without end for a node's own folder. */
function copyOf(path: string): CopyName {
  return copyNameOf(path) ?? { node: null, serial: Number(basename(path)), size: Number.POSITIVE_INFINITY };
}

function headOf({ bytes, source }: AnchorFile): { node: string; serial: number; size: number } {
  try {
    const { origin, size } = decodeCheckpoint(bytes);
    return { ...parseOrigin(origin), size };
  } catch (cause) {
    if (!(cause instanceof TidegateError)) throw cause;
    throw new AuditLogError("AUDIT_ANCHOR_INVALID", `${source} is not a checkpoint: ${cause.message}`, { cause });
  }
}
