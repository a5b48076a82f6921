import type { AuditLog, LeafRef } from "../../agent/audit/index.ts";
import type { NodeTime } from "../../agent/node/index.ts";
import type { Transaction } from "../../agent/store/index.ts";
import type { AuditEvent } from "../../protocol/audit/index.ts";
import { assert, sameBytes } from "../../protocol/base/index.ts";
import type { Fact } from "../../protocol/bundle/index.ts";
import { encodeFact } from "../../protocol/content/index.ts";
import { candidateOf, type RotationEffect, stateName } from "../../protocol/rotation/index.ts";
import { type AccountNotice, noticeOf } from "../notices/index.ts";
import { type Account, nameOf } from "./account.ts";
import { escrowRow } from "./escrow-rows.ts";
import { type AccountRecord, encodeRecord, tables } from "./record.ts";
import { nameOfValue } from "./value-names.ts";

/** Where a transition is recorded. */
export interface Books {
  readonly audit: Pick<AuditLog, "appendAll">;
  /** Facts for the vault, in the same transaction. */
  queueReport(tx: Transaction, facts: readonly Fact[]): void;
  /** What a gateway shall know, in the same transaction. */
  notify(tx: Transaction, notice: AccountNotice): void;
  time(): NodeTime;
  /** Our node id as the log writes it. */
  readonly self: string;
}

export interface Arrow {
  readonly account: Account;
  readonly next: AccountRecord;
  readonly effects: readonly RotationEffect[];
  /** Further leaves and facts of the same transaction. */
  readonly events?: readonly AuditEvent[];
  readonly facts?: readonly Fact[];
}

/** One arrow of the machine: state, leaves and outbox in the caller's transaction. */
export function recordArrow(tx: Transaction, books: Books, { account, next, effects, events = [], facts = [] }: Arrow): void {
  tx.put(tables.account, account.id, encodeRecord(next));
  const { state: before } = account.record;
  if (next.state.candidates !== before.candidates) {
    const candidates = escrowRow(next.state);
    if (!sameBytes(candidates, escrowRow(before))) tx.put(tables.escrow, account.id, candidates);
  }
  const leaves = effects.flatMap((effect) => (effect.kind === "leaf" ? [leafEvent(account, next, effect, books.self)] : []));
  const alarms = effects.flatMap((effect) => (effect.kind === "alarm" ? [alarmEvent(account, effect.code, books.self)] : []));
  const all = [...leaves, ...alarms, ...events];
  const first = all.length === 0 ? null : books.audit.appendAll(tx, all);
  // A report's own leaf is the one of its arrow: the last that names its value.
  const reports = effects.flatMap((effect) => {
    if (effect.kind !== "report") return [];
    assert(first !== null, "a report has a leaf");
    return [rotationFact(tx, books, { account, next, report: effect, leaf: leafOf(effects, effect.ref, first) })];
  });
  const notice = noticeOf(next.state, effects);
  const told = notice === null ? undefined : candidateOf(next.state, notice.ref)?.index;
  if (notice !== null && told !== undefined && first !== null) {
    const index = { epoch: told[0], number: told[1] };
    books.notify(tx, { accountId: account.id, index, state: notice.state, leaf: leafOf(effects, notice.ref, first) });
  }
  // A hold is no step of the ledger, but operators look for it at the vault.
  const heldNow = next.state.hold !== null;
  if (reports.length === 0 && first !== null && heldNow !== (account.record.state.hold !== null)) {
    const state = heldNow ? "QUARANTINE" : stateName(next.state);
    const report = { ref: next.state.current, report: null, state };
    reports.push(rotationFact(tx, books, { account, next, report, leaf: first }));
  }
  const raised = effects.flatMap((effect) =>
    effect.kind === "alarm"
      ? [encodeFact({ kind: "alarm", code: effect.code, subject: nameOf(account), at: books.time() })]
      : [],
  );
  if (reports.length + raised.length + facts.length > 0) books.queueReport(tx, [...reports, ...raised, ...facts]);
}

type LeafEffect = Extract<RotationEffect, { kind: "leaf" }>;

function leafOf(effects: readonly RotationEffect[], ref: number, first: LeafRef): LeafRef {
  const leaves = effects.filter((effect): effect is LeafEffect => effect.kind === "leaf");
  const at = leaves.findIndex((leaf) => leaf.ref === ref);
  return { serial: first.serial, index: first.index + Math.max(at, 0) };
}

function leafEvent(account: Account, next: AccountRecord, effect: LeafEffect, self: string): AuditEvent {
  const index = candidateOf(next.state, effect.ref)?.index;
  const details = {
    ...(index === undefined ? {} : { epoch: index[0], number: index[1] }),
    attempt: next.state.spent,
    ...(next.orderId === null ? {} : { orderId: Buffer.from(next.orderId).toString("hex") }),
    ...(account.says === null ? {} : { says: account.says }),
  };
  return {
    action: effect.action,
    actor: { kind: "node", id: self },
    subject: { kind: "account", id: nameOf(account) },
    outcome: "ok",
    details,
  };
}

function alarmEvent(account: Account, code: string, self: string): AuditEvent {
  return {
    action: "alarm.raise",
    actor: { kind: "node", id: self },
    subject: { kind: "account", id: nameOf(account) },
    outcome: "failed",
    code,
    details: { reason: code },
  };
}

interface ReportParts {
  readonly account: Account;
  readonly next: AccountRecord;
  /** `state` where it is not the next state's own name. */
  readonly report: { readonly ref: number; readonly report: string | null; readonly state?: string };
  readonly leaf: LeafRef;
}

function rotationFact(tx: Transaction, books: Books, { account, next, report, leaf }: ReportParts): Fact {
  const name = nameOfValue(account, report.ref, tx);
  assert(name !== null, "a candidate's value is stored");
  return encodeFact({
    kind: "rotation",
    accountId: account.id,
    index: { epoch: name.index[0], number: name.index[1] },
    fingerprint: name.fingerprint,
    state: report.state ?? stateName(next.state),
    outcome: report.report,
    at: books.time(),
    leaf,
  });
}
