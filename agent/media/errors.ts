import { TidegateError } from "../../protocol/base/index.ts";

export const MEDIA_CODES = {
  /** The mount point that was named is no folder that can be entered. */
  MEDIA_NOT_FOUND: { fault: "operator", retryable: false },
  /** Nothing on the medium was written by a node. */
  MEDIA_EMPTY: { fault: "operator", retryable: false },
  /** A link stands where a file or folder should. */
  MEDIA_LINK: { fault: "peer", retryable: false },
  /** Something else than a plain file, or than a folder, stands in its place: a pipe, a device, a socket. */
  MEDIA_NOT_PLAIN: { fault: "peer", retryable: false },
  /** A file is larger than it may be, or than its manifest says. */
  MEDIA_TOO_LARGE: { fault: "peer", retryable: false },
  /** A folder holds more names than any writer makes. */
  MEDIA_TOO_MANY: { fault: "peer", retryable: false },
  /** A name differs from one of ours in case or Unicode form only. */
  MEDIA_NAME: { fault: "peer", retryable: false },
  /** A writer's folder has no manifest, or lacks what the manifest lists: the medium was pulled too early. */
  MEDIA_INCOMPLETE: { fault: "peer", retryable: false },
  /** A file is not the one that the manifest lists. */
  MEDIA_HASH: { fault: "peer", retryable: false },
  /** A file changed while it was read. */
  MEDIA_CHANGED: { fault: "peer", retryable: false },
  /** The medium is full. */
  MEDIA_FULL: { fault: "environment", retryable: true },
  /** The medium cannot be read or written, or was pulled. */
  MEDIA_IO: { fault: "environment", retryable: true },
  /** A folder that should be written anew is there already. */
  MEDIA_EXISTS: { fault: "operator", retryable: false },
  /** What was read back is not what was written. */
  MEDIA_READ_BACK: { fault: "environment", retryable: true },
} as const;

export type MediaCode = keyof typeof MEDIA_CODES;

/** A medium that is refused or that failed. */
export class MediaError extends TidegateError<MediaCode> {
  constructor(code: MediaCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(MEDIA_CODES, code, message, options);
  }
}

/** What the file system throws, as ours. */
export function mediaError(cause: unknown, what: string): MediaError {
  if (cause instanceof MediaError) return cause;
  if (cause instanceof TidegateError) throw cause;
  const { code } = cause as NodeJS.ErrnoException;
  if (code === undefined) throw cause;
  if (code === "ELOOP") return new MediaError("MEDIA_LINK", `${what} is a link`, { cause });
  if (code === "ENXIO" || code.endsWith("EISDIR"))
    return new MediaError("MEDIA_NOT_PLAIN", `${what} is no plain file`, { cause });
  if (code === "ENOTDIR") return new MediaError("MEDIA_NOT_PLAIN", `${what} is no folder`, { cause });
  if (code === "ENOENT") return new MediaError("MEDIA_INCOMPLETE", `${what} is missing`, { cause });
  if (code === "ENOSPC" || code === "EDQUOT")
    return new MediaError("MEDIA_FULL", `the medium has no room for ${what}`, { cause, hint: "Take another medium." });
  return new MediaError("MEDIA_IO", `${what}: the medium says ${code}`, {
    cause,
    hint: "Is it still plugged in, and may it be written?",
  });
}
