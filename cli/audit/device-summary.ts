import { AuditError, decodeLeaf, type Leaf } from "../../protocol/audit/index.ts";
import { exceptionText } from "./exception-text.ts";
import { LogNotes } from "./log-notes.ts";

/** What a person wants to know of one device's account, from the log alone. */
export interface AccountSummary {
  /** `zone/device`. */
  readonly device: string;
  /** The account's name on it; empty for what concerns the device as a whole. */
  readonly account: string;
  /** Changes that a login proved; a proof of what was there before is none. */
  changes: number;
  /** The newest proof that a version is live, whether or not it was just set. */
  lastProven: { readonly time: string; readonly version: string; readonly index: number } | null;
  /** Who asked for the last change or approved it, with the entry that says so. */
  approved: { readonly by: string; readonly what: string; readonly time: string; readonly index: number } | null;
  /** The entry after which nobody knows the password, as far as these entries say; null where there is none. */
  unknownSince: number | null;
  /** Reads that were answered, and reads that were refused. */
  reads: number;
  refused: number;
  exceptionCount: number;
  /** The newest ones. */
  readonly exceptions: { readonly time: string; readonly what: string; readonly index: number }[];
}

/** Exceptions of one account that are told in words; the others are counted. */
const toldExceptions = 5;

const approvals: ReadonlySet<string> = new Set([
  "order.accept",
  "credential.set",
  "device.adopt",
  "rotation.permit",
  "rotation.due",
]);
/** Exceptions although they went well: somebody looked at a value, held a device, or nobody knows its password. */
const notable: ReadonlySet<string> = new Set([
  "credential.show",
  "credential.recover",
  "device.hold",
  "rotation.rejected",
  "rotation.reverted",
  "rotation.unknown",
  "rotation.held",
  "alarm.raise",
]);

/** Gathers, entry by entry, what the summary of an export says; memory grows with accounts, not with entries. */
export class DeviceSummary {
  readonly #accounts = new Map<string, AccountSummary>();
  entries = 0;
  /** Entries that are no leaves, or of no device. */
  others = 0;
  first: string | null = null;
  last: string | null = null;
  readonly notes = new LogNotes();

  add(bytes: Uint8Array): void {
    this.entries += 1;
    const leaf = leafOrNull(bytes);
    if (leaf === null) {
      this.others += 1;
      return;
    }
    const time = timeOf(leaf);
    this.first ??= time;
    this.last = time;
    this.notes.add(leaf, time);
    const place = placeOf(leaf);
    if (place === null) this.others += 1;
    else if (leaf.action === "credential.read") this.#read(place, leaf);
    else note(this.#account(place.device, place.account), leaf, time);
  }

  /** By device and account. */
  accounts(): AccountSummary[] {
    return [...this.#accounts.values()].sort((a, b) => a.device.localeCompare(b.device) || a.account.localeCompare(b.account));
  }

  /** A refused read names whatever its caller made up: it makes no account known. */
  #read({ device, account }: { device: string; account: string }, { outcome, details }: Leaf): void {
    const count = typeof details["count"] === "number" ? details["count"] : 1;
    if (outcome === "ok") this.#account(device, account).reads += count;
    else {
      const known = this.#accounts.get(keyOf(device, account));
      if (known !== undefined) known.refused += count;
    }
  }

  #account(device: string, account: string): AccountSummary {
    const key = keyOf(device, account);
    const known = this.#accounts.get(key);
    if (known !== undefined) return known;
    const fresh: AccountSummary = {
      device,
      account,
      changes: 0,
      lastProven: null,
      approved: null,
      unknownSince: null,
      reads: 0,
      refused: 0,
      exceptionCount: 0,
      exceptions: [],
    };
    this.#accounts.set(key, fresh);
    return fresh;
  }
}

function note(account: AccountSummary, leaf: Leaf, time: string): void {
  const { action, details, index, outcome } = leaf;
  // What an edge reported to the vault, or logged itself.
  const result = action === "rotation.report" ? details["result"] : action.replace("rotation.", "");
  if ((result === "verified" || result === "proven") && outcome === "ok") {
    if (result === "verified") account.changes += 1;
    account.lastProven = { time, version: `${details["epoch"] ?? "?"}.${details["number"] ?? "?"}`, index };
    account.unknownSince = null;
  }
  if (action === "rotation.unknown") account.unknownSince = index;
  if (approvals.has(action) && outcome === "ok") {
    const by = String(details["operator"] ?? `${leaf.actor.kind} ${leaf.actor.id}`);
    account.approved = { by, what: action, time, index };
  }
  if (action === "rotation.staged") {
    // What the vault ordered bears the order; a later change without one must not stand beside it.
    const { orderId } = details;
    if (typeof orderId === "string") account.approved = { by: `order ${orderId}`, what: action, time, index };
    else if (account.approved?.what === action) account.approved = null;
  }
  if (outcome === "ok" && !notable.has(action)) return;
  account.exceptionCount += 1;
  account.exceptions.push({ time, what: exceptionText(leaf), index });
  if (account.exceptions.length > toldExceptions) account.exceptions.shift();
}

function keyOf(device: string, account: string): string {
  return `${device}\n${account}`;
}

/** `zone/device/account` and `zone/device`; null for what is of no device. */
function placeOf({ subject }: Leaf): { device: string; account: string } | null {
  if (subject.kind === "device") return { device: subject.id, account: "" };
  if (subject.kind !== "account") return null;
  const cut = subject.id.lastIndexOf("/");
  return cut < 0 ? null : { device: subject.id.slice(0, cut), account: subject.id.slice(cut + 1) };
}

/** Latest moment that a Date can hold, ms since 1970 (ECMA-262 section 21.4.1.1). */
const latestDateMs = 8.64e15;

/** The lower end of the node's time; `>=` where the upper end is open. */
function timeOf({ time: [lo, hi] }: Leaf): string {
  return `${hi === null ? ">=" : ""}${new Date(Math.min(lo, latestDateMs)).toISOString()}`;
}

function leafOrNull(bytes: Uint8Array): Leaf | null {
  try {
    return decodeLeaf(bytes);
  } catch (error) {
    if (error instanceof AuditError) return null;
    throw error;
  }
}
