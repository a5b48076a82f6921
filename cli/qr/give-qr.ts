import { closeSync, constants, openSync, writeSync } from "node:fs";
import { CliError, type Frame } from "../frame/index.ts";
import { qrLines, qrPng } from "./qr.ts";

/** Where a QR code goes, as the commands take it. */
export interface QrOptions {
  readonly qr?: boolean;
  readonly qrPng?: string;
}

/** Shows a text as a QR code on standard error, and writes it into a new PNG of the owner's alone, as asked. Throws CLI_FILE. */
export function giveQr(frame: Frame, text: string, { qr, qrPng: path }: QrOptions): void {
  if (path !== undefined) writeNew(path, qrPng(text));
  if (qr === true) for (const line of qrLines(text)) frame.output.say(line);
}

function writeNew(path: string, bytes: Uint8Array): void {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  } catch (cause) {
    throw new CliError("CLI_FILE", `cannot make ${path}: it exists, or the folder cannot be written`, { cause });
  }
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
  } finally {
    closeSync(descriptor);
  }
}
