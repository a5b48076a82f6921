import type { Leaf } from "../../protocol/audit/index.ts";

/** What the log itself says that it, or this copy of it, does not hold: nothing against anybody, but the auditor must know. */
export interface Notice {
  readonly code: "GAP" | "ARCHIVED" | "REOPENED";
  /** The sealed leaf that says so. */
  readonly index: number;
  /** One sentence for the auditor. */
  readonly says: string;
}

/** The notices that sealed leaves make. */
export function noticesOf(leaves: readonly Leaf[]): Notice[] {
  return leaves.flatMap((leaf): Notice[] => {
    const { index, action } = leaf;
    if (action === "audit.gap") return [{ code: "GAP", index, says: gapText(leaf) }];
    if (action === "audit.reopen") return [{ code: "REOPENED", index, says: reopenText(leaf) }];
    return isArchive(leaf) ? [{ code: "ARCHIVED", index, says: archiveText(leaf) }] : [];
  });
}

/** True where a sealed leaf says that all entries before `from` lie on media. */
export function isArchivedBefore(leaves: readonly Leaf[], from: number): boolean {
  return leaves.some((leaf) => isArchive(leaf) && Number(leaf.details["until"]) >= from && leaf.index >= from);
}

/**
 * The first entry that archives ought to hold, where it stands before `from`: sealed leaves say what each of them, known by the size of its
 * checkpoint, was written from. Null where they say nothing of the kind.
 */
export function firstPromised(leaves: readonly Leaf[], sizes: readonly number[], from: number): number | null {
  const promised = leaves.filter((leaf) => isArchive(leaf) && sizes.includes(Number(leaf.details["size"])));
  const firsts = promised.map(({ details }) => details["from"]).filter((first) => typeof first === "number");
  const first = Math.min(from, ...firsts);
  return first < from ? first : null;
}

function isArchive({ action, outcome, details }: Leaf): boolean {
  return action === "audit.archive" && outcome === "ok" && typeof details["until"] === "number";
}

function gapText({ details }: Leaf): string {
  const { count, reason, fromMs, toMs } = details;
  const what = `${count ?? "some"} entries${details["class"] === undefined ? "" : ` of class ${details["class"]}`} were not written`;
  const when = typeof fromMs === "number" && typeof toMs === "number" ? ` from ${dateOf(fromMs)} to ${dateOf(toMs)}` : "";
  return `${what}${when}: ${reason ?? "no reason is given"}`;
}

function reopenText({ details }: Leaf): string {
  const { oldSize, ackedSize, reason } = details;
  const known = ackedSize === undefined ? "" : `, of which others held all below ${ackedSize}`;
  return `what the log held from entry ${oldSize} on is lost${known}, and a new root let it go on: ${reason ?? "no reason is given"}`;
}

function archiveText({ details, actor }: Leaf): string {
  const { from, until, mediaId, label } = details;
  return `entries ${from ?? 0} to ${Number(until) - 1} lie on medium ${mediaId ?? "unknown"} (label ${label ?? "unknown"}), written by ${actor.id}`;
}

/** Latest moment that a Date can hold, ms since 1970 (ECMA-262 section 21.4.1.1). */
const latestDateMs = 8.64e15;

function dateOf(ms: number): string {
  return new Date(Math.min(ms, latestDateMs)).toISOString();
}
