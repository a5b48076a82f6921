import { TidegateError } from "../../protocol/base/index.ts";

export const DATA_CODES = {
  /** Another process runs on this data folder. */
  DATA_LOCKED: { fault: "environment", retryable: true },
  /** The folder belongs to somebody else, or its group or everybody may enter it. */
  DATA_UNSAFE: { fault: "operator", retryable: false },
  /** The folder or a file in it is missing, cannot be made, read or written. */
  DATA_UNREADABLE: { fault: "operator", retryable: false },
  /** The file system that the folder lies on is full, read-only or failing. */
  DATA_DISK: { fault: "environment", retryable: true },
  /** The path leaves no room for a socket's name. */
  DATA_PATH_TOO_LONG: { fault: "operator", retryable: false },
} as const;

export class DataFolderError extends TidegateError<keyof typeof DATA_CODES> {
  constructor(code: keyof typeof DATA_CODES, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(DATA_CODES, code, message, options);
  }
}

const diskHints: Readonly<Record<string, string>> = {
  ENOSPC: "Free space on its disk, or name a folder on another one with --data DIR.",
  EDQUOT: "The user's quota is used up: free space, or name a folder elsewhere with --data DIR.",
  EROFS: "It is mounted read-only: a disk that failed often is. Otherwise name another folder with --data DIR.",
  EMFILE: "This process may open no more files (LimitNOFILE, ulimit -n).",
  ENFILE: "This machine may open no more files.",
  EIO: "See the kernel's messages: the disk may be failing.",
};

const folderHints: Readonly<Record<string, string>> = {
  ENOTDIR: "Part of its path is a file. Name another folder with --data DIR.",
  EACCES: "This user may not: run it as the node's user, or name another folder with --data DIR.",
  EPERM: "This user may not: run it as the node's user, or name another folder with --data DIR.",
  ENAMETOOLONG: "A name in its path is too long. Name another folder with --data DIR.",
  ENOENT: "Nothing can be made there. Name another folder with --data DIR.",
  EBUSY: "It is a mount point: name a folder inside of it with --data DIR.",
  ELOOP: "Its path runs in a circle of links. Name another folder with --data DIR.",
};

/** Runs `work` on a data folder; what the file system throws is an error about it: DATA_DISK, DATA_UNREADABLE. */
export function attemptFolder<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const { code, syscall } = cause as NodeJS.ErrnoException;
    if (code === undefined || syscall === undefined) throw cause;
    const onDisk = diskHints[code];
    const hint = onDisk ?? folderHints[code] ?? "Name another folder with --data DIR.";
    throw new DataFolderError(onDisk === undefined ? "DATA_UNREADABLE" : "DATA_DISK", `${what} (${code})`, { cause, hint });
  }
}
