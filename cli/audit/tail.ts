import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { AdminError, callAdmin } from "../../agent/admin/index.ts";
import { dataFolderAt } from "../../agent/data-folder/index.ts";
import { decodeLeaf, type Leaf } from "../../protocol/audit/index.ts";
import { dataPath, type Frame } from "../frame/index.ts";

export interface TailOptions {
  readonly data?: string;
  readonly follow?: boolean;
  readonly lines: number;
}

const pageSchema = z.object({ size: z.number(), from: z.number(), leaves: z.array(z.string()) });
/** Time between two questions to the node, ms. */
const followEveryMs = 500;
/** Leaves of one answer. */
const pageSize = 1000;

/** Prints the newest leaves of a running node's log and, with --follow, those that come until the command is stopped. */
export async function tailLog(frame: Frame, options: TailOptions): Promise<void> {
  const folder = nodeFolder(frame, options);
  let next = await print(frame, folder, `limit=${Math.min(options.lines, pageSize)}`);
  if (!options.follow) return;
  const stop = new AbortController();
  void frame.untilStopped().then(() => stop.abort());
  while (!stop.signal.aborted) {
    await delay(followEveryMs, undefined, { signal: stop.signal }).catch(() => {});
    if (!stop.signal.aborted) next = await print(frame, folder, `from=${next}&limit=${pageSize}`);
  }
}

/** Prints one page; returns the index after it. */
async function print(frame: Frame, folder: string, query: string): Promise<number> {
  const answer = pageSchema.safeParse(await callAdmin(folder, { method: "GET", path: `/v1/audit?${query}` }));
  if (!answer.success) throw new AdminError("ADMIN_PROTOCOL", "the answer is no page of an audit log");
  const page = answer.data;
  for (const text of page.leaves)
    frame.output.record(JSON.parse(text) as unknown, () => leafLine(decodeLeaf(Buffer.from(text, "latin1"))));
  return page.from + page.leaves.length;
}

/** The node that was named, else the first of this machine that has an admin socket. */
function nodeFolder(frame: Frame, options: TailOptions): string {
  const folders = (["vault", "gateway", "edge"] as const).map((role) => dataPath(frame, role, options));
  return folders.find((folder) => existsSync(dataFolderAt(folder).adminSocket)) ?? folders[0] ?? "";
}

/** Latest moment that a Date can hold, ms since 1970 (ECMA-262 section 21.4.1.1). */
const latestDateMs = 8.64e15;

/** One line for a person: where, when (`>=` where only a lower bound is known), what, to what, by whom, how it went. */
function leafLine(leaf: Leaf): string {
  const { actor, subject, details } = leaf;
  const [lo, hi] = leaf.time;
  const words = [
    leaf.index,
    `${hi === null ? ">=" : ""}${new Date(Math.min(lo, latestDateMs)).toISOString()}`,
    leaf.action,
    `${subject.kind}:${subject.id}`,
    `by ${actor.kind}:${actor.id}`,
    leaf.outcome,
    ...(leaf.code === null ? [] : [leaf.code]),
    ...Object.entries(details).map(([name, value]) => `${name}=${typeof value === "string" ? JSON.stringify(value) : value}`),
  ];
  // Ids and texts may hold any character; a terminal gets none that it would obey.
  return words.join(" ").replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
