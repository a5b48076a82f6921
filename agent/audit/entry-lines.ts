import { closeSync, constants, existsSync, openSync, readSync } from "node:fs";
import { AuditLogError } from "./errors.ts";

/** Bytes of a file of lines that are read at a time. */
const chunkBytes = 1_048_576;
const newline = 10;

/** A file of lines that is read beside the entries that it repeats. */
export class LinesBeside {
  readonly #lines: LineReader | null;
  #place = 0;
  #unlike: number | null = null;

  /** A file that is not there differs in nothing. */
  constructor(path: string) {
    this.#lines = existsSync(path) ? new LineReader(path) : null;
  }

  /** Whether there is anything to compare still. */
  get wanted(): boolean {
    return this.#lines !== null && this.#unlike === null;
  }

  /** Compares the entries that come next with their lines. */
  compare(entries: readonly Uint8Array[]): void {
    for (const entry of entries) {
      if (this.wanted && this.#lines?.isNext(entry) === false) this.#unlike = this.#place;
      this.#place += 1;
    }
  }

  /** Place of the first entry that its line differs from, or that has none, or after which lines go on; null where they are equal. */
  end(): number | null {
    if (this.wanted && this.#lines?.atEnd() === false) this.#unlike = this.#place;
    return this.#unlike;
  }

  close(): void {
    this.#lines?.close();
  }
}

/** The lines of a small file. */
export function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(newline, at);
    lines.push(bytes.subarray(at, end < 0 ? bytes.length : end));
    at = end < 0 ? bytes.length : end + 1;
  }
  return lines;
}

class LineReader {
  readonly #path: string;
  readonly #descriptor: number;
  #bytes = Buffer.alloc(0);
  #at = 0;

  constructor(path: string) {
    this.#path = path;
    this.#descriptor = this.#attempt(() => openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
  }

  /** True where the next bytes are `entry` and a newline. */
  isNext(entry: Uint8Array): boolean {
    const length = entry.length + 1;
    if (this.#bytes.length - this.#at < length) this.#fill(length);
    const line = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return line.length === length && line[entry.length] === newline && line.subarray(0, entry.length).equals(entry);
  }

  atEnd(): boolean {
    if (this.#bytes.length === this.#at) this.#fill(1);
    return this.#bytes.length === this.#at;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #fill(needed: number): void {
    const parts = [this.#bytes.subarray(this.#at)];
    for (let have = parts[0]?.length ?? 0; have < needed; ) {
      const chunk = Buffer.allocUnsafe(chunkBytes);
      const read = this.#attempt(() => readSync(this.#descriptor, chunk, 0, chunk.length, null));
      if (read === 0) break;
      parts.push(chunk.subarray(0, read));
      have += read;
    }
    this.#bytes = parts.length === 1 ? (parts[0] ?? this.#bytes) : Buffer.concat(parts);
    this.#at = 0;
  }

  #attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw new AuditLogError("AUDIT_FOLDER_UNREADABLE", `${this.#path} cannot be read`, { cause });
    }
  }
}
