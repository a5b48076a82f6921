import { sameBytes } from "../../protocol/base/index.ts";
import type { FactContent } from "../../protocol/content/index.ts";
import {
  ingestReport,
  isLaterLeaf,
  type LeafPlace,
  type Ledger,
  LedgerError,
  type LedgerReport,
} from "../../protocol/rotation/index.ts";
import { fillPool, loadLedger, saveLedger } from "../registry/index.ts";
import type { AccountRow, NodeRow, VaultTransaction } from "../store/index.ts";
import { registryOf, type VaultCore } from "../streams/index.ts";
import { accountOfNode } from "./account-of-node.ts";
import { alarmKey, endAlarms, takeAlarm } from "./alarms.ts";
import { holdNode } from "./hold-node.ts";
import { noteState } from "./reported-state.ts";

/** A report's fact of one kind. */
export type FactOf<Kind extends FactContent["kind"]> = Extract<FactContent, { kind: Kind }>;

const reportKinds = ["verified", "proven", "rejected", "reverted", "unknown"] as const;

/** What a rotation fact says to the ledger; null for a step that only the node's own log is about. */
function reportKind(fact: FactOf<"rotation">): LedgerReport["kind"] | null {
  return reportKinds.find((kind) => kind === fact.outcome) ?? null;
}

/** The alarm that a rotation's outcome is by itself, or null. */
function alarmOf(fact: FactOf<"rotation">, account: AccountRow): { code: string; subject: string } | null {
  const kind = reportKind(fact);
  if (kind !== "reverted" && kind !== "unknown") return null;
  return { code: kind === "reverted" ? "ROTATION_REVERTED" : "ROTATION_UNKNOWN", subject: account.path };
}

/** Takes in where a rotation has come to; its alarm, where it is one, is noted in `told`. */
export async function ingestRotation(
  core: VaultCore,
  tx: VaultTransaction,
  node: NodeRow,
  { fact, told }: { fact: FactOf<"rotation">; told: Set<string> },
): Promise<void> {
  const account = await accountOfNode(tx, node, fact.accountId);
  const ledger = account === null ? null : await loadLedger(tx, account);
  const { epoch, number } = fact.index;
  const value = ledger?.values.find(({ index }) => index[0] === epoch && index[1] === number);
  if (account === null || ledger === null || value === undefined) {
    return takeAlarm(core, tx, {
      node,
      code: "LEDGER_UNKNOWN_INDEX",
      subject: `${account?.path ?? "an account"} version ${epoch}.${number}`,
    });
  }
  const alarm = alarmOf(fact, account);
  if (alarm !== null) told.add(alarmKey(alarm));
  if (!(await noteReported(tx, account, node, fact.leaf))) return;
  await noteState(tx, account.account_id, fact.state, core.clock.wallMs());
  const kind = reportKind(fact);
  await core.log.append(tx, {
    action: "rotation.report",
    actor: { kind: "node", id: node.name },
    subject: { kind: "account", id: account.path },
    outcome: kind === "unknown" ? "unknown" : kind === "rejected" ? "failed" : "ok",
    details: {
      epoch,
      number,
      state: fact.state,
      ...(kind === null ? {} : { result: kind }),
      leafSerial: fact.leaf.serial,
      leafIndex: fact.leaf.index,
    },
  });
  if (kind === null) return;
  const after = judged(ledger, { kind, index: value.index, fingerprint: fact.fingerprint });
  if (after instanceof LedgerError) {
    // One number and two values: the vault or the edge was copied. Nothing more is issued to it until somebody has looked.
    return holdNode(core, tx, node, {
      code: after.code,
      subject: `${account.path} version ${epoch}.${number}`,
      joinCounter: node.join_counter,
    });
  }
  await saveLedger(tx, account, { before: ledger, after, nowMs: core.clock.wallMs() });
  if (kind !== "rejected" && kind !== "unknown") {
    await tx
      .updateTable("credentials")
      .set({ proven_at: core.clock.wallMs(), proven_by: node.name })
      .where("account_id", "=", account.account_id)
      .where("epoch", "=", epoch)
      .where("number", "=", number)
      .execute();
  }
  if (kind === "verified" || kind === "proven") await endAlarms(core, tx, node, account.path);
  if (alarm !== null) await takeAlarm(core, tx, { node, ...alarm });
  const changed = await tx
    .selectFrom("accounts")
    .selectAll()
    .where("account_id", "=", account.account_id)
    .executeTakeFirstOrThrow();
  await fillPool(await registryOf(core, tx), tx, changed);
}

/** Notes the report's place in the node's log; false where that or a later one was taken in before. */
async function noteReported(tx: VaultTransaction, account: AccountRow, node: NodeRow, leaf: LeafPlace): Promise<boolean> {
  const { reported_by, reported_serial, reported_index } = account;
  const known = reported_by !== null && sameBytes(reported_by, node.node_id);
  if (!isLaterLeaf(leaf, known ? { serial: reported_serial ?? 0, index: reported_index ?? 0 } : null)) return false;
  await tx
    .updateTable("accounts")
    .set({ reported_by: node.node_id, reported_serial: leaf.serial, reported_index: leaf.index })
    .where("account_id", "=", account.account_id)
    .execute();
  return true;
}

function judged(ledger: Ledger, report: LedgerReport): Ledger | LedgerError {
  try {
    return ingestReport(ledger, report);
  } catch (error) {
    if (error instanceof LedgerError) return error;
    throw error;
  }
}
