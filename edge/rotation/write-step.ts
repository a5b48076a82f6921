import type { Transaction } from "../../agent/store/index.ts";
import type { RotationEffect, RotationEvent, Transition } from "../../protocol/rotation/index.ts";
import type { Account, OpenOrder } from "./account.ts";
import { type Books, recordArrow } from "./commit.ts";
import type { Due } from "./due.ts";
import type { EngineOptions } from "./engine-options.ts";
import { changeDue, dueAfter } from "./events.ts";
import { momentOf } from "./moment.ts";
import { type Beside, nextRecord } from "./next-record.ts";
import { opennessOf } from "./openness.ts";
import { endOrder, forgetOrder, type OrderEnd, orderEnd } from "./orders.ts";
import { isPastWindow, pastWindowNews } from "./past-window.ts";
import { type AccountRecord, encodeValue, tables, valueId } from "./record.ts";

/** One step of an account's machine with what goes into its transaction. */
export interface PlannedStep {
  readonly account: Account;
  /** Of the failpoints around it: its first leaf's action. */
  readonly name: string;
  readonly next: AccountRecord;
  readonly effects: readonly RotationEffect[];
  readonly beside: Beside;
  /** How the order under way ends by it; null or `release` where it does not. */
  readonly end: OrderEnd | "release" | null;
  /** It is finished after its window has closed. */
  readonly late: boolean;
  /** The rotation that an event calls for from now on. */
  readonly due: Due | null;
}

interface TakenStep {
  readonly to: Transition;
  readonly event: RotationEvent;
  readonly beside: Beside;
  /** The order whose word about windows counts; null where the one under way does. */
  readonly counts: OpenOrder | null;
}

/** What a step of the machine makes of the account, to be written before anything follows from it; null where it changes nothing. */
export function planStep(
  account: Account,
  { to, event, beside, counts }: TakenStep,
  options: EngineOptions,
): PlannedStep | null {
  const { seams, books, interval } = options;
  const { state, effects } = to;
  const before = account.record;
  const leaf = effects.find((effect) => effect.kind === "leaf");
  if (state === before.state && leaf === undefined && beside.write === undefined) return null;
  const nowS = books.time().lo;
  const next = nextRecord(
    { ...before, says: account.says },
    { state, event, effects, beside, now: momentOf(seams.clock), nowS },
  );
  return {
    account,
    name: leaf === undefined ? "rotation.record" : leaf.action,
    next,
    effects,
    beside,
    end: next.orderId === null ? null : orderEnd(state, effects),
    late: isPastWindow(account, state, effects, opennessOf(account, interval(), counts)),
    due: dueAfter(account, next, effects, nowS),
  };
}

/** Writes a step in the caller's transaction; the record that it makes. */
export function writeStep(tx: Transaction, books: Books, step: PlannedStep): AccountRecord {
  const { account, next, effects, beside, end, late, due } = step;
  if (beside.value !== undefined) tx.put(tables.value, valueId(account.id, beside.value.ref), encodeValue(beside.value.stored));
  const news = late ? pastWindowNews(account, books) : null;
  const facts = [...(beside.write?.(tx) ?? []), ...(news?.facts ?? [])];
  if (next.orderId !== null && end !== null && end !== "release") facts.push(endOrder(tx, next.orderId, end));
  const events = [...(news?.events ?? []), ...changeDue(tx, account, due, books.self)];
  const record = end === null ? next : { ...next, orderId: null };
  recordArrow(tx, books, { account, next: record, effects, events, facts });
  return record;
}

/** After the commit: the account is as it was written. */
export function takeStep({ account, next, end, late, due }: PlannedStep, record: AccountRecord): void {
  if (late) account.pastWindow = next.state.next;
  account.due = due;
  account.record = record;
  if (end !== null && end !== "release") forgetOrder(account, next.orderId);
}
