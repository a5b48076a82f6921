import { sameBytes, TidegateError } from "../base/index.ts";
import { maxPool } from "./limits.ts";
import { type CandidateIndex, compareIndex } from "./state.ts";

export const LEDGER_CODES = {
  /** Two values of the account are issued and not terminal: a third would let the list of candidates grow. */
  LEDGER_POOL_FULL: { fault: "environment", retryable: true },
  /** The vault was restored: it issues nothing to this account's node before the node's escrow report. */
  LEDGER_UNSETTLED: { fault: "environment", retryable: true },
  /** The node names a value that this vault never issued; after a restore its escrow report brings it. */
  LEDGER_UNKNOWN_INDEX: { fault: "peer", retryable: false },
  /** Two different values bear one index: a vault or an edge was copied. */
  LEDGER_FORK: { fault: "peer", retryable: false },
  /** The vault epoch only goes up. */
  LEDGER_EPOCH: { fault: "peer", retryable: false },
} as const;

export class LedgerError extends TidegateError<keyof typeof LEDGER_CODES> {
  constructor(code: keyof typeof LEDGER_CODES, message: string) {
    super(LEDGER_CODES, code, message);
  }
}

/** `issued` may be live from the moment it is exported; the other three are terminal. */
export type LedgerStatus = "issued" | "acknowledged" | "rejected" | "superseded";

/** One value that the vault holds for an account; never deleted. */
export interface LedgerValue {
  readonly index: CandidateIndex;
  /** HMAC of the value under the account's fingerprint key, 32 bytes. */
  readonly fingerprint: Uint8Array;
  readonly status: LedgerStatus;
}

/** What the vault knows about the values of one account. */
export interface Ledger {
  readonly epoch: number;
  /** Number of the next value in this epoch. */
  readonly nextNumber: number;
  /** True after a restore until the node's escrow report was read. */
  readonly unsettled: boolean;
  /** In order of index. */
  readonly values: readonly LedgerValue[];
}

/** The node's word about one value. */
export interface LedgerReport {
  readonly kind: "verified" | "proven" | "rejected" | "reverted" | "unknown";
  readonly index: CandidateIndex;
  readonly fingerprint: Uint8Array;
}

/** A place in a node's audit log, which orders what it says about an account. */
export interface LeafPlace {
  readonly serial: number;
  readonly index: number;
}

/**
 * True where a report is later in its node's log than the last one that was taken in. A node sends again what it does not know to be
 * acknowledged, and an old "reverted" would take a value back that a person has set since.
 */
export function isLaterLeaf(leaf: LeafPlace, last: LeafPlace | null): boolean {
  return last === null || leaf.serial > last.serial || (leaf.serial === last.serial && leaf.index > last.index);
}

/** A new account: the value that a person gave is acknowledged as number 0. */
export function openLedger(epoch: number, fingerprint: Uint8Array): Ledger {
  return { epoch, nextNumber: 1, unsettled: false, values: [{ index: [epoch, 0], fingerprint, status: "acknowledged" }] };
}

/** Values of the current epoch that are issued and not terminal. */
export function openValues(ledger: Ledger): LedgerValue[] {
  return ledger.values.filter(({ index, status }) => status === "issued" && index[0] === ledger.epoch);
}

/** Adds a value to the pool; it must be stored before it is exported. Throws LEDGER_POOL_FULL, LEDGER_UNSETTLED. */
export function issueValue(ledger: Ledger, fingerprint: Uint8Array): { ledger: Ledger; index: CandidateIndex } {
  if (ledger.unsettled) throw new LedgerError("LEDGER_UNSETTLED", "waiting for the node's escrow report");
  if (openValues(ledger).length >= maxPool) throw new LedgerError("LEDGER_POOL_FULL", `${maxPool} values are already open`);
  return appendValue(ledger, fingerprint, "issued");
}

/** A value that a person set on the device: acknowledged at once, and every open one stays open. */
export function giveValue(ledger: Ledger, fingerprint: Uint8Array): { ledger: Ledger; index: CandidateIndex } {
  const demoted = {
    ...ledger,
    values: ledger.values.map((value) => (value.status === "acknowledged" ? superseded(value) : value)),
  };
  return appendValue(demoted, fingerprint, "acknowledged");
}

function appendValue(ledger: Ledger, fingerprint: Uint8Array, status: LedgerStatus): { ledger: Ledger; index: CandidateIndex } {
  const index: CandidateIndex = [ledger.epoch, ledger.nextNumber];
  const values = [...ledger.values, { index, fingerprint, status }];
  return { index, ledger: { ...ledger, nextNumber: ledger.nextNumber + 1, values } };
}

/**
 * Takes a report in. The same report again is a no-op, and so is one that says less than is known already.
 * Throws LEDGER_FORK and LEDGER_UNKNOWN_INDEX.
 */
export function ingestReport(ledger: Ledger, report: LedgerReport): Ledger {
  const value = ledger.values.find(({ index }) => compareIndex(index, report.index) === 0);
  if (value === undefined) throw new LedgerError("LEDGER_UNKNOWN_INDEX", `value ${report.index.join(".")} was not issued here`);
  if (!sameBytes(value.fingerprint, report.fingerprint)) {
    throw new LedgerError("LEDGER_FORK", `two values bear index ${report.index.join(".")}`);
  }
  switch (report.kind) {
    case "rejected":
      return value.status === "issued" ? withStatus(ledger, value, "rejected") : ledger;
    case "unknown":
      return ledger;
    case "reverted":
      return acknowledge(ledger, value);
    case "proven":
    case "verified":
      // Streams are ordered, but two sticks may not be: an older success never takes the place of a newer one.
      return isOlder(ledger, value) ? ledger : acknowledge(ledger, value);
  }
}

/** The value last proven live, or null before the first. */
export function acknowledgedValue(ledger: Ledger): LedgerValue | null {
  return ledger.values.find(({ status }) => status === "acknowledged") ?? null;
}

/** What a node gets of a value: the acknowledged one is current, an open one waits in the edge's pool or pending at a gateway. */
export function exportedRole(status: LedgerStatus, reader: "edge" | "gateway"): "current" | "pool" | "pending" | null {
  if (status === "acknowledged") return "current";
  if (status !== "issued") return null;
  return reader === "gateway" ? "pending" : "pool";
}

/**
 * Candidates in the order to try when the edge is gone: the acknowledged one first, since open values were perhaps never sent; then open
 * ones as an edge stages them, the oldest first; then rejected and superseded ones, newest first.
 */
export function recoveryOrder(ledger: Ledger): LedgerValue[] {
  const rank: Record<LedgerStatus, number> = { acknowledged: 0, issued: 1, rejected: 2, superseded: 3 };
  const byAge = (a: LedgerValue, b: LedgerValue) => compareIndex(a.index, b.index) * (a.status === "issued" ? 1 : -1);
  return ledger.values.toSorted((a, b) => rank[a.status] - rank[b.status] || byAge(a, b));
}

/** The vault was restored under a higher epoch: older open values may be live, and nothing is issued before the escrow. */
export function raiseEpoch(ledger: Ledger, epoch: number): Ledger {
  if (epoch <= ledger.epoch) throw new LedgerError("LEDGER_EPOCH", `epoch ${epoch} is not above ${ledger.epoch}`);
  return { ...ledger, epoch, nextNumber: 1, unsettled: true };
}

/** What a node's escrow says about one account. */
export interface EscrowWord {
  /** The one last proven live there, adopted or given. */
  readonly current: CandidateIndex;
  readonly values: readonly { readonly index: CandidateIndex; readonly fingerprint: Uint8Array }[];
}

/**
 * Learns what the node's escrow holds, and which value the node last held for live; null where it has nothing of this account. Ends the
 * unsettled time. Throws LEDGER_FORK for a known index with another fingerprint.
 */
export function learnEscrow(ledger: Ledger, word: EscrowWord | null): Ledger {
  let { values } = ledger;
  for (const { index, fingerprint } of word?.values ?? []) {
    const known = values.find((value) => compareIndex(value.index, index) === 0);
    if (known === undefined) values = [...values, { index, fingerprint, status: "issued" }];
    else if (!sameBytes(known.fingerprint, fingerprint)) {
      throw new LedgerError("LEDGER_FORK", `two values bear index ${index.join(".")}`);
    }
  }
  const highest = Math.max(0, ...values.filter(({ index }) => index[0] === ledger.epoch).map(({ index }) => index[1]));
  const nextNumber = Math.max(ledger.nextNumber, highest + 1);
  const sorted = values.toSorted((a, b) => compareIndex(a.index, b.index));
  const learned = { ...ledger, nextNumber, unsettled: false, values: sorted };
  const live = sorted.find(({ index }) => word !== null && compareIndex(index, word.current) === 0);
  // Only upwards: where a person gave a newer one after the node last heard of us, that stays.
  return live === undefined || isOlder(learned, live) ? learned : acknowledge(learned, live);
}

/** A login proved this value live, whichever it is: what stood above it is behind now. */
export function proveValue(ledger: Ledger, index: CandidateIndex): Ledger {
  const value = ledger.values.find((each) => compareIndex(each.index, index) === 0);
  if (value === undefined) throw new LedgerError("LEDGER_UNKNOWN_INDEX", `value ${index.join(".")} was not issued here`);
  return acknowledge(ledger, value);
}

function isOlder(ledger: Ledger, value: LedgerValue): boolean {
  return compareIndex(value.index, acknowledgedValue(ledger)?.index ?? [0, 0]) < 0;
}

/** `value` is live now. Older open ones can no longer be staged; they are kept. */
function acknowledge(ledger: Ledger, value: LedgerValue): Ledger {
  if (value.status === "acknowledged") return ledger;
  const values = ledger.values.map((each) => {
    if (each === value) return { ...each, status: "acknowledged" as const };
    if (each.status === "acknowledged") return superseded(each);
    return each.status === "issued" && compareIndex(each.index, value.index) < 0 ? superseded(each) : each;
  });
  return { ...ledger, values };
}

function withStatus(ledger: Ledger, value: LedgerValue, status: LedgerStatus): Ledger {
  return { ...ledger, values: ledger.values.map((each) => (each === value ? { ...each, status } : each)) };
}

function superseded(value: LedgerValue): LedgerValue {
  return { ...value, status: "superseded" };
}
