import { readFileSync } from "node:fs";
import { z } from "zod";
import { utf8 } from "../../protocol/base/index.ts";
import type { DataFolder } from "./data-folder.ts";
import { removeFile, writeFileDurably } from "./durable-file.ts";
import { DataFolderError } from "./errors.ts";

const runSchema = z.object({
  role: z.enum(["vault", "gateway", "edge"]),
  pid: z.number().int().positive(),
  nodeId: z.string(),
  /** What the node listens on, by name (`tunnel`, `api-loopback` …): the real addresses, also where port 0 was configured. */
  listeners: z.record(z.string(), z.object({ address: z.string(), port: z.number().int().nullable() })),
});

/** What a running node tells about itself in `run.json`; the file appears when the node is ready. */
export type RunFile = z.infer<typeof runSchema>;

/** Writes `run.json` by rename: a reader sees all of it or none. */
export function writeRunFile(folder: DataFolder, run: RunFile): void {
  writeFileDurably(folder.run, utf8(`${JSON.stringify(run, null, 2)}\n`));
}

/** Removes `run.json`: at the orderly end, and at the start what a killed process left. */
export function removeRunFile(folder: DataFolder): void {
  removeFile(folder.run);
}

/** What the node says in `run.json`, or null where there is none. Throws DATA_UNREADABLE for anything else in its place. */
export function readRunFile(folder: DataFolder): RunFile | null {
  let text: string;
  try {
    text = readFileSync(folder.run, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new DataFolderError("DATA_UNREADABLE", `cannot read ${folder.run}`, { cause });
  }
  try {
    return runSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new DataFolderError("DATA_UNREADABLE", `${folder.run} is not what a node writes`, { cause });
  }
}
