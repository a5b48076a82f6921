import type { Leaf } from "../../protocol/audit/index.ts";

/** Something about the node or its log that a person should see, with the entry that says so. */
export interface LogNote {
  readonly time: string;
  readonly what: string;
  readonly index: number;
}

/** Notes that are told in words; older ones are counted. */
const toldNotes = 40;

/** Actions of the node itself that are worth a line, in words. */
const words: Readonly<Record<string, string>> = {
  "audit.fork": "the log was found to differ from what others hold",
  "audit.reopen": "a new log was begun because an older one had lost entries",
  "stream.fork": "two different messages came under one number",
  "node.clone": "a second copy of this node was seen",
  "node.quarantine": "the node was put in quarantine",
  "node.revoke": "a node was revoked",
  "root.fork": "two root documents came under one number",
  "clock.setback": "the clock was set back",
  "vault.restore": "the vault was restored from a backup",
  "configuration.change": "the configuration was changed",
};

/** What an export's summary says about the node and its log as a whole; memory does not grow with entries. */
export class LogNotes {
  readonly #told: LogNote[] = [];
  /** Notes in all. */
  count = 0;
  starts = 0;
  crashes = 0;
  /** Entries that gap entries say were not written. */
  missing = 0;
  /** Entries before this one lie on media only. */
  archivedBefore = 0;
  reads = 0;
  refusedReads = 0;
  /** The newest entry that says so. */
  lastRefused: LogNote | null = null;
  /** Persons and operators who did or approved something, and how often. */
  readonly people = new Map<string, number>();

  add(leaf: Leaf, time: string): void {
    const { action, outcome, details, actor, index } = leaf;
    const count = typeof details["count"] === "number" ? details["count"] : 1;
    if (action === "credential.read") {
      if (outcome === "ok") this.reads += count;
      else {
        this.refusedReads += count;
        this.lastRefused = { time, what: `${actor.kind} ${actor.id} at ${leaf.subject.id}`, index };
      }
      return;
    }
    if (actor.kind === "operator" || actor.kind === "person") this.#person(`${actor.kind} ${actor.id}`);
    if (action === "node.start") this.starts += 1;
    if (action === "audit.gap") this.missing += count;
    const what = noteOf(leaf);
    if (action === "node.start" && what !== null) this.crashes += 1;
    if (action === "audit.archive" && what !== null) this.archivedBefore = Number(details["until"] ?? 0);
    if (what === null) return;
    this.count += 1;
    this.#told.push({ time, what, index });
    if (this.#told.length > toldNotes) this.#told.shift();
  }

  /** The newest notes, newest first. */
  told(): LogNote[] {
    return this.#told.toReversed();
  }

  /** Whoever acts under ever new names must not fill the memory of who looks. */
  #person(name: string): void {
    if (this.people.size >= 1000 && !this.people.has(name)) return;
    this.people.set(name, (this.people.get(name) ?? 0) + 1);
  }
}

/** A line for a person; null for what is ordinary or of a device. */
function noteOf({ action, outcome, code, details, subject }: Leaf): string | null {
  const text = (name: string) => String(details[name] ?? "unknown");
  if (action === "node.start") return details["lastStop"] === "crash" ? "started after a crash or a power cut" : null;
  if (action === "audit.gap") {
    const of = details["class"] === undefined ? "" : ` (${details["class"]})`;
    return `${text("count")} entries were not written${of}: ${text("reason")}`;
  }
  if (action === "audit.archive" && outcome === "ok")
    return `entries ${text("from")} to ${Number(details["until"] ?? 1) - 1} were moved to medium ${text("mediaId")}`;
  if (action === "audit.export" && outcome === "ok")
    return `entries ${text("from")} to ${Number(details["size"] ?? 1) - 1} were copied to medium ${text("mediaId")}`;
  if (action === "alarm.raise" && subject.kind === "node") return `alarm ${code ?? ""}: ${text("reason")}`;
  const known = words[action];
  if (known === undefined) return null;
  const why = details["reason"] ?? details["field"];
  return `${known}${why === undefined ? "" : `: ${why}`}${outcome === "ok" || code === null ? "" : ` (${code})`}`;
}
