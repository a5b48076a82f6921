import { type Frame, writeSecretFile } from "../frame/index.ts";
import { qrLines, qrPng } from "./qr.ts";

/** Where a QR code goes, as the commands take it. */
export interface QrOptions {
  readonly qr?: boolean;
  readonly qrPng?: string;
}

/** Shows a text as a QR code on standard error, and writes it into a new PNG of the owner's alone, as asked. Throws CLI_FILE. */
export function giveQr(frame: Frame, text: string, { qr, qrPng: path }: QrOptions): void {
  if (path !== undefined) writeSecretFile(path, qrPng(text));
  if (qr === true) for (const line of qrLines(text, frame.colours)) frame.output.say(line);
}
