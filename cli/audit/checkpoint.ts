import { basename, join } from "node:path";
import { findLogFolders } from "../../agent/audit/index.ts";
import { decodeCheckpoint, parseOrigin } from "../../protocol/audit/index.ts";
import { toHex } from "../../protocol/base/index.ts";
import { type Frame, readLimited } from "../frame/index.ts";
import type { QrOptions } from "../qr/index.ts";

/** Prints the newest checkpoint of a node's newest log, as it was signed: an anchor to be kept elsewhere, on paper too. */
export async function showCheckpoint(frame: Frame, path: string, options: QrOptions): Promise<void> {
  const newest =
    findLogFolders(path)
      .sort((a, b) => Number(basename(a)) - Number(basename(b)))
      .at(-1) ?? path;
  const file = join(newest, "checkpoint");
  const bytes = readLimited(file);
  const { origin, size, root } = decodeCheckpoint(bytes);
  const text = bytes.toString("utf8");
  if (options.qr === true || options.qrPng !== undefined) {
    const { giveQr } = await import("../qr/index.ts");
    giveQr(frame, text, options);
  }
  const { node, serial } = parseOrigin(origin);
  frame.output.result({ node, serial, size, root: toHex(root), checkpoint: text }, () => text.trimEnd());
}
