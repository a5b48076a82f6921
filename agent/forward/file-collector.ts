import { access, constants, type FileHandle, open, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Collector, CollectorLink } from "./contracts.ts";
import { ForwardError } from "./errors.ts";

const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** What a file of events begins with: JSON, RFC 5424, CEF, or the end of a line that a crash left. */
const beginnings = new Set(["{", "<", "C", "\n"]);

/**
 * A file that grows until somebody rotates it away: it is opened anew for each batch, by its name. `maxBytes` bounds it, for it may lie
 * on the disk that the node needs.
 */
export function fileCollector(path: string, maxBytes: number): Collector {
  // A disk that hangs keeps a thread of few: nothing else is begun until it lets go.
  let busy: Promise<unknown> = Promise.resolve();
  return {
    place: `file ${path}`,
    async open(signal) {
      await busy;
      if (signal.aborted) throw givenUp();
      const link = await opened(path, maxBytes);
      busy = link.closed;
      if (!signal.aborted) return link;
      // Nobody waits for it any more, so nobody else would let go of it.
      link.destroy();
      throw givenUp();
    },
  };
}

async function opened(path: string, maxBytes: number): Promise<FileLink> {
  let file: FileHandle | null = null;
  try {
    await refuseNodeFolder(path);
    file = await open(path, flags, 0o600);
    const stat = await file.stat();
    if (!stat.isFile()) throw new Error("not a regular file");
    if (stat.size > 0) await refuseOther(file, path);
    if (stat.size >= maxBytes) {
      throw new ForwardError("FORWARD_FILE_FULL", `${path} has reached its limit of ${maxBytes} bytes`, {
        hint: "Rotate it away (rename it): it is opened by its name for each batch. maxMib raises the limit.",
      });
    }
    return new FileLink(file, await isCut(file, stat.size));
  } catch (error) {
    await file?.close();
    throw fileError(error);
  }
}

/** A node's own files are never appended to: a key or a store would be ruined without anybody noticing before the next start. */
async function refuseNodeFolder(path: string): Promise<void> {
  for (let folder = await realpath(dirname(path)); ; folder = dirname(folder)) {
    if (await exists(join(folder, "tidegate.yaml"))) throw otherFile(`${path} lies in a node's data folder`);
    if (folder === dirname(folder)) return;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function refuseOther(file: FileHandle, path: string): Promise<void> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, 0);
  if (!beginnings.has(buffer.toString("latin1"))) throw otherFile(`${path} holds something else than events`);
}

function otherFile(message: string): ForwardError {
  return new ForwardError("FORWARD_FILE_OTHER", message, { hint: "Name a file of its own, outside of every data folder." });
}

/** True where a crash left the last line without its end. */
async function isCut(file: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return false;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] !== 0x0a;
}

class FileLink implements CollectorLink {
  readonly #file: FileHandle;
  /** Resolves when no thread holds the file any more. */
  readonly closed: Promise<void>;
  #release = () => {};
  #last: Promise<unknown>;
  #ended = false;

  constructor(file: FileHandle, cut: boolean) {
    this.#file = file;
    this.closed = new Promise((resolve) => {
      this.#release = resolve;
    });
    // What a crash left of a line stays a line of its own; the leaf comes again as a whole.
    this.#last = cut ? this.#append(Buffer.from("\n")) : Promise.resolve();
    this.#last.catch(() => {});
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#last = this.#last.then(() => this.#append(bytes));
    await this.#last;
  }

  /** Here the proof is the disk's. */
  async finish(): Promise<void> {
    this.#last = this.#last.then(() => this.#file.datasync());
    await this.#last.catch((error: unknown) => {
      throw fileError(error);
    });
  }

  destroy(): void {
    if (this.#ended) return;
    this.#ended = true;
    const close = () => this.#file.close();
    this.#last.then(close, close).then(this.#release, this.#release);
  }

  async #append(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length; ) at += (await this.#file.write(bytes, at)).bytesWritten;
    } catch (error) {
      throw fileError(error);
    }
  }
}

function givenUp(): ForwardError {
  return fileError(new Error("given up"));
}

function fileError(cause: unknown): ForwardError {
  if (cause instanceof ForwardError) return cause;
  const why = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
  return new ForwardError("FORWARD_FILE", `events cannot be written to the file: ${why}`, {
    cause,
    hint: "It must be a regular file, no link, in a folder that this node may write to, on a disk with room.",
  });
}
