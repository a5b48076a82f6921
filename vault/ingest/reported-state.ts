import type { NodeRow, VaultTransaction } from "../store/index.ts";

/** States that end by a person's hand only, and the code that says what to do. */
const needsPerson: Readonly<Record<string, string>> = { UNKNOWN: "ROTATION_UNKNOWN", QUARANTINE: "ROTATION_HELD" };

/** Keeps what an edge last said about an account, for operators; nothing is decided by it. */
export async function noteState(tx: VaultTransaction, accountId: Uint8Array, state: string, nowMs: number): Promise<void> {
  const code = Object.hasOwn(needsPerson, state) ? needsPerson[state] : null;
  await tx
    .updateTable("accounts")
    .set({ reported_state: state, reported_code: code ?? null, reported_at: nowMs })
    .where("account_id", "=", accountId)
    .execute();
}

/** An edge's alarm about one of its accounts is what it last said about it; where it is about anything else, nothing happens. */
export async function noteAlarm(
  tx: VaultTransaction,
  node: NodeRow,
  alarm: { code: string; subject: string },
  nowMs: number,
): Promise<void> {
  if (!alarm.subject.startsWith(`${node.zone}/`)) return;
  await tx
    .updateTable("accounts")
    .set({ reported_code: alarm.code, reported_at: nowMs })
    .where("path", "=", alarm.subject)
    .execute();
}
