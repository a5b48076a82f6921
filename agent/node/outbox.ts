import { asBytes, asBytesUpTo, asTuple, asUint, concat, decodeTcbor, encodeTcbor, u64be } from "../../protocol/base/index.ts";
import { bundleLimits, type Fact, type StreamHead } from "../../protocol/bundle/index.ts";
import type { Row, Transaction, View } from "../store/index.ts";
import type { OutboxLimits } from "./contracts.ts";
import { everyRow } from "./entry-rows.ts";

const factTable = "fact";
const reportTable = "report";
const maxCarrierBytes = 128 * 1024 * 1024;

interface Place {
  readonly epoch: number;
  readonly seq: number;
}

/** A fact that the vault has not acknowledged. */
interface FactRow extends Fact {
  readonly rowId: Uint8Array;
  /** The report that carries it, or null. */
  readonly sent: Place | null;
}

/** Adds facts behind those that wait. */
export function addFacts(tx: Transaction, facts: readonly Fact[]): void {
  const [last] = tx.scan(factTable, { limit: 1, reverse: true });
  let next = last === undefined ? 0 : numberOf(last.id) + 1;
  for (const fact of facts) {
    tx.put(factTable, u64be(next), encodeFactRow(fact, null));
    next += 1;
  }
}

/** Facts that no report carries yet, oldest first, at most `limit`. */
export function unsentFacts(view: View, limit: number): FactRow[] {
  const first = firstUnsent(view);
  if (first === null) return [];
  return view.scan(factTable, { from: u64be(first), limit }).map(({ id, value }) => decodeFactRow(id, value));
}

/** Whether there is a fact that no report carries yet. */
export function hasUnsentFacts(view: View): boolean {
  const [last] = view.scan(factTable, { limit: 1, reverse: true });
  return last !== undefined && !isSent(last);
}

export function countFacts(view: View): number {
  return view.count(factTable);
}

/** Notes which report carries these facts. */
export function markSent(tx: Transaction, facts: readonly FactRow[], sent: Place): void {
  for (const fact of facts) tx.put(factTable, fact.rowId, encodeFactRow(fact, sent));
}

/** Forgets what was sent: everything goes into new reports. */
export function markAllUnsent(tx: Transaction): void {
  for (const { id, value } of [...everyRow(tx, factTable)]) {
    const row = decodeFactRow(id, value);
    if (row.sent !== null) tx.put(factTable, id, encodeFactRow(row, null));
  }
}

/** Drops the facts that the vault has: those sent in reports up to `place`. */
export function settleFacts(tx: Transaction, place: Place): void {
  const settled: Uint8Array[] = [];
  // They stand first: what was sent later, or waits, stays unread.
  for (const { id, value } of everyRow(tx, factTable)) {
    const { sent } = decodeFactRow(id, value);
    if (sent === null || sent.epoch !== place.epoch || sent.seq > place.seq) break;
    settled.push(id);
  }
  for (const id of settled) tx.delete(factTable, id);
}

/** Keeps a sealed report until it is acknowledged; what is sent again are these bytes. */
export function putReport(tx: Transaction, head: StreamHead, carrier: Uint8Array): void {
  tx.put(reportTable, placeId(head), encodeTcbor([head.id, carrier]));
}

export function dropReports(tx: Transaction, places: readonly Place[]): void {
  for (const place of places) tx.delete(reportTable, placeId(place));
}

/** Drops all reports of other epochs: they are void. */
export function dropReportsBefore(tx: Transaction, epoch: number): void {
  for (const { id } of [...everyRow(tx, reportTable)]) if (placeOf(id).epoch < epoch) tx.delete(reportTable, id);
}

/** Sealed reports after a place, oldest first. One is always given, however large. */
export function readReports(view: View, after: Place | null, limits: OutboxLimits): (StreamHead & { carrier: Uint8Array })[] {
  // The id that follows on it; a peer may tell the highest number that there is.
  const from = after === null ? new Uint8Array(0) : concat(placeId(after), Uint8Array.of(0));
  const reports: (StreamHead & { carrier: Uint8Array })[] = [];
  let bytes = 0;
  for (const row of view.scan(reportTable, { from, limit: limits.items })) {
    const [id, carrier] = asTuple(decodeTcbor(row.value), "report", 2);
    const report = {
      ...placeOf(row.id),
      id: asBytes(id, "report.id", 32),
      carrier: asBytesUpTo(carrier, "report.carrier", maxCarrierBytes),
    };
    bytes += report.carrier.length;
    if (reports.length > 0 && bytes > limits.bytes) break;
    reports.push(report);
  }
  return reports;
}

/**
 * Number from which on facts wait; null where none does. Facts are sent in their order, so what was sent stands first: the place between is
 * found by halving, from the end on, for mostly few wait.
 */
function firstUnsent(view: View): number | null {
  const [first] = view.scan(factTable, { limit: 1 });
  const [last] = view.scan(factTable, { limit: 1, reverse: true });
  if (first === undefined || last === undefined || isSent(last)) return null;
  if (!isSent(first)) return numberOf(first.id);
  let [sent, unsent] = [numberOf(first.id), numberOf(last.id)];
  for (let step = 1; unsent - sent > 1; step *= 2) {
    const at = Math.max(unsent - step, Math.floor((sent + unsent) / 2));
    const [row = last] = view.scan(factTable, { from: u64be(at), limit: 1 });
    if (isSent(row)) sent = numberOf(row.id);
    else unsent = at;
  }
  return unsent;
}

function isSent({ id, value }: Row): boolean {
  return decodeFactRow(id, value).sent !== null;
}

function encodeFactRow(fact: Fact, sent: Place | null): Uint8Array {
  return encodeTcbor([sent === null ? null : [sent.epoch, sent.seq], fact.type, fact.payload]);
}

function decodeFactRow(rowId: Uint8Array, value: Uint8Array): FactRow {
  const [sent, type, payload] = asTuple(decodeTcbor(value), "fact", 3);
  return {
    rowId,
    sent: sent === null || sent === undefined ? null : placeFromTuple(asTuple(sent, "fact.sent", 2)),
    type: asUint(type, "fact.type"),
    payload: asBytesUpTo(payload, "fact.payload", bundleLimits.factBytes),
  };
}

function placeFromTuple([epoch, seq]: ReturnType<typeof asTuple>): Place {
  return { epoch: asUint(epoch, "sent.epoch"), seq: asUint(seq, "sent.seq") };
}

function placeId(place: Place): Uint8Array {
  return concat(u64be(place.epoch), u64be(place.seq));
}

function placeOf(id: Uint8Array): Place {
  return { epoch: numberOf(id.subarray(0, 8)), seq: numberOf(id.subarray(8)) };
}

function numberOf(bytes: Uint8Array): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0));
}
