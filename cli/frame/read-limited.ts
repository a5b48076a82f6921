import { closeSync, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { TidegateError } from "../../protocol/base/index.ts";
import { CliError, fileHint } from "./exit.ts";

/** Most bytes of a file that is named on the command line, where the caller knows no closer limit: a device model or a root draft fits many times. */
const mostFileBytes = 16 * 1024 * 1024;

const chunkBytes = 64 * 1024;

/** A file or pipe of at most `most` bytes, whole; what never ends is not read to its end. Throws CLI_FILE, and what `judge` finds of the open file. */
export function readLimited(path: string, most = mostFileBytes, judge: (status: Stats) => void = () => {}): Buffer {
  const chunks: Buffer[] = [];
  try {
    const descriptor = openSync(path, "r");
    try {
      judge(fstatSync(descriptor));
      for (let length = 0; ; ) {
        const chunk = Buffer.alloc(Math.min(chunkBytes, most + 1));
        const taken = readSync(descriptor, chunk);
        if (taken === 0) break;
        chunks.push(chunk.subarray(0, taken));
        length += taken;
        if (length > most) {
          throw new CliError("CLI_FILE", `${path} holds more than ${most} bytes`, { hint: "Is it the file that was meant?" });
        }
      }
    } finally {
      closeSync(descriptor);
    }
    return Buffer.concat(chunks);
  } catch (cause) {
    if (cause instanceof TidegateError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw new CliError("CLI_FILE", `cannot read ${path} (${code})`, { cause, hint: fileHint(code) });
  } finally {
    // It may have been a secret.
    for (const chunk of chunks) chunk.fill(0);
  }
}
