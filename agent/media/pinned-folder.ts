import { closeSync, constants, fsyncSync, lstatSync, mkdirSync, opendirSync, openSync } from "node:fs";
import { MediaError, mediaError } from "./errors.ts";

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;

/**
 * A folder that was opened once and is named by its descriptor from then on: whatever is put in its place later, names are looked up in
 * the folder that was checked.
 */
export class PinnedFolder {
  /** For messages. */
  readonly name: string;
  readonly #descriptor: number;

  private constructor(name: string, descriptor: number) {
    this.name = name;
    this.#descriptor = descriptor;
  }

  /** Opens a folder. Throws MEDIA_INCOMPLETE where it is missing, MEDIA_LINK, MEDIA_NOT_PLAIN, MEDIA_IO. */
  static open(path: string, name: string): PinnedFolder {
    const status = attempt(name, () => lstatSync(path));
    if (status.isSymbolicLink()) throw new MediaError("MEDIA_LINK", `${name} is a link`);
    if (!status.isDirectory()) throw new MediaError("MEDIA_NOT_PLAIN", `${name} is no folder`);
    return new PinnedFolder(
      name,
      attempt(name, () => openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)),
    );
  }

  /** Opens a folder in this one. Throws as {@link PinnedFolder.open}. */
  folder(name: string): PinnedFolder {
    return PinnedFolder.open(this.path(name), `${this.name}/${name}`);
  }

  /** Makes a folder in this one unless it is there, and opens it. */
  makeFolder(name: string): PinnedFolder {
    if (lstatSync(this.path(name), { throwIfNoEntry: false }) === undefined) {
      try {
        mkdirSync(this.path(name));
      } catch (cause) {
        // The folder itself is open: one that takes no folder is no medium, such as /proc.
        if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw mediaError(cause, name);
        throw new MediaError("MEDIA_NOT_FOUND", `nothing can be made in ${this.name}`, {
          cause,
          hint: "Is the medium mounted there?",
        });
      }
      this.sync();
    }
    return this.folder(name);
  }

  /** The path by which the file system finds `name` in this very folder. */
  path(name: string): string {
    return `/proc/self/fd/${this.#descriptor}/${name}`;
  }

  /** Every name in the folder, as it comes; stops at `limit` with MEDIA_TOO_MANY. */
  names(limit: number): string[] {
    return attempt(this.name, () => {
      const names: string[] = [];
      const folder = opendirSync(this.path("."), { bufferSize: 64 });
      try {
        for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
          if (names.length === limit) throw new MediaError("MEDIA_TOO_MANY", `${this.name} holds more than ${limit} names`);
          names.push(entry.name);
        }
      } finally {
        folder.closeSync();
      }
      return names;
    });
  }

  /** Makes new and renamed names durable. */
  sync(): void {
    attempt(this.name, () => fsyncSync(this.#descriptor));
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** Runs `work`; what the file system throws is a {@link MediaError} about `what`. */
export function attempt<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw mediaError(cause, what);
  }
}

/**
 * Throws MEDIA_NAME where a name differs from an expected one in case or Unicode form only: which of the two is read would depend on the
 * file system.
 */
export function refuseLookalikes(folder: string, names: readonly string[], isExpected: (name: string) => boolean): void {
  for (const name of names) {
    if (isExpected(name)) continue;
    const folded = name.normalize("NFKC").toLowerCase();
    if (isExpected(folded) || isExpected(folded.toUpperCase()) || isExpected(folded.replace("readme", "README")))
      throw new MediaError("MEDIA_NAME", `a name in ${folder} differs from one of ours in case or Unicode form only`);
  }
}
