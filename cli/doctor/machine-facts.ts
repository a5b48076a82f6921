import { lookup } from "node:dns/promises";
import { readFileSync, statfsSync } from "node:fs";
import { spaceOf } from "../../agent/space/index.ts";

/** What the checks ask of the machine; the real one unless a test gives its own. */
export interface MachineFacts {
  readonly nowMs: number;
  readonly nodeVersion: string;
  readonly platform: string;
  readonly umask: number;
  readonly uid: number | null;
  /** The text of a file of the kernel, or null where there is none. */
  text(path: string): string | null;
  /** Looks a host's name up. Rejects where it has none. */
  lookup(host: string): Promise<unknown>;
  /** Bytes that we may still write, and all that we may ever; and the file system's type, as statfs(2) numbers it. */
  space(path: string): { readonly free: number; readonly total: number; readonly type: number };
}

/** The machine that this process runs on. */
export function machineFacts(): MachineFacts {
  return {
    nowMs: Date.now(),
    nodeVersion: process.versions.node,
    platform: process.platform,
    umask: process.umask(),
    uid: process.getuid?.() ?? null,
    text(path) {
      try {
        return readFileSync(path, "utf8");
      } catch {
        return null;
      }
    },
    lookup: (host) => lookup(host),
    space(path) {
      const status = statfsSync(path);
      return { ...spaceOf(status), type: status.type };
    },
  };
}
