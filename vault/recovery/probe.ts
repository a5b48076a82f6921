import { sameBytes } from "../../protocol/base/index.ts";
import { wipeFields } from "../../protocol/content/index.ts";
import { type CandidateIndex, compareIndex, proveValue } from "../../protocol/rotation/index.ts";
import { accountAt, credentialVersions, fillPool, loadLedger, RegistryError, saveLedger } from "../registry/index.ts";
import type { AccountRow, VaultTransaction } from "../store/index.ts";
import { registryOf, type VaultCore } from "../streams/index.ts";
import { type AttemptRules, type Attempts, budgetNow } from "./attempts.ts";

export interface ProbeStart extends AttemptRules {
  readonly path: string;
  readonly index: CandidateIndex;
  /** The whole device locks: its accounts share the budget. */
  readonly shared: boolean;
  /** Milliseconds for which the edge has been off, as the operator says; 0 where nobody knows. */
  readonly edgeOffForMs: number;
}

/** Either the value to log in with, its attempt debited already, or how long to wait before asking again. */
export type ProbeBegun =
  | { readonly waitMs: number; readonly fields: null }
  | { readonly waitMs: 0; readonly fields: Readonly<Record<string, string>> };

/** Debits one login durably, before it leaves, and gives the value for it. Throws REGISTRY_NOT_FOUND. */
export async function beginProbe(core: VaultCore, tx: VaultTransaction, start: ProbeStart): Promise<ProbeBegun> {
  const account = await accountAt(tx, start.path);
  const nowMs = core.clock.wallMs();
  const budget = await budgetOf(tx, account, start, nowMs);
  if (budget.waitMs > 0) return { waitMs: budget.waitMs, fields: null };
  const versions = await credentialVersions(core, tx, account.account_id);
  const found = versions.find(({ index }) => compareIndex(index, start.index) === 0);
  const fields = found?.fields.map(({ name, value }) => [name, Buffer.from(value).toString("base64")] as const);
  for (const version of versions) wipeFields(version.fields);
  if (fields === undefined)
    throw new RegistryError("REGISTRY_NOT_FOUND", `${start.path} has no version ${start.index.join(".")}`);
  await putAttempts(tx, account, { spent: budget.own + 1, lastAtMs: nowMs, edgeOffAtMs: budget.offAt });
  await leaf(core, tx, account, { action: "rotation.probe", index: start.index, outcome: "unknown", attempt: budget.own + 1 });
  return { waitMs: 0, fields: Object.fromEntries(fields) };
}

async function budgetOf(tx: VaultTransaction, account: AccountRow, start: ProbeStart, nowMs: number) {
  const neighbours = start.shared
    ? await tx.selectFrom("accounts").select("account_id").where("device_id", "=", account.device_id).execute()
    : [];
  const ids = [account.account_id, ...neighbours.map((each) => each.account_id)];
  const rows = await tx.selectFrom("probes").selectAll().where("account_id", "in", ids).execute();
  const own = rows.find((row) => sameBytes(row.account_id, account.account_id)) ?? null;
  const said = nowMs - start.edgeOffForMs;
  // From the first question on the edge is taken for gone.
  const offAt = Math.min(said, own?.edge_off_at ?? said);
  await putAttempts(tx, account, { spent: own?.spent ?? 0, lastAtMs: own?.last_at ?? nowMs, edgeOffAtMs: offAt });
  // A report that was taken in later shows that it lived then.
  const at = { nowMs, edgeOffSinceMs: Math.max(offAt, account.reported_at ?? 0) };
  const mine = budgetNow(own === null ? null : attemptsOf(own), start, at);
  const others = rows
    .filter((row) => row !== own && row.spent > 0)
    .map((row) => budgetNow(attemptsOf(row), { ...start, limit: 1 }, at));
  const spent = mine.spent + others.reduce((sum, each) => sum + each.spent, 0);
  const full = spent >= start.limit ? Math.max(0, ...others.map((each) => each.waitMs)) : 0;
  return { own: mine.spent, offAt, waitMs: Math.max(mine.waitMs, full) };
}

function attemptsOf(row: { spent: number; last_at: number }): Attempts {
  return { spent: row.spent, lastAtMs: row.last_at };
}

export interface ProbeEnd {
  readonly path: string;
  readonly index: CandidateIndex;
  readonly outcome: "OK" | "REJECTED_AUTH" | "REJECTED_POLICY" | "NOT_SENT" | "AMBIGUOUS";
  /** The login may have reached the device and was not accepted. */
  readonly spent: boolean;
  /** The device's code. */
  readonly says: string;
}

/** Records how a login ended: its attempt comes back where it spent none; where it worked, the value is current from now on. */
export async function endProbe(core: VaultCore, tx: VaultTransaction, end: ProbeEnd): Promise<void> {
  const account = await accountAt(tx, end.path);
  const row = await tx.selectFrom("probes").selectAll().where("account_id", "=", account.account_id).executeTakeFirst();
  const credited = !end.spent || end.outcome === "OK" || end.outcome === "NOT_SENT";
  if (row !== undefined && credited)
    await putAttempts(tx, account, { spent: Math.max(0, row.spent - 1), lastAtMs: row.last_at, edgeOffAtMs: row.edge_off_at });
  const proven = end.outcome === "OK";
  await leaf(core, tx, account, {
    action: proven ? "rotation.proven" : "rotation.probe",
    index: end.index,
    outcome: proven ? "ok" : end.outcome === "AMBIGUOUS" ? "unknown" : "failed",
    says: end.says,
  });
  if (proven) await prove(core, tx, account, end.index);
}

async function prove(core: VaultCore, tx: VaultTransaction, account: AccountRow, index: CandidateIndex): Promise<void> {
  const before = await loadLedger(tx, account);
  if (before === null) return;
  const nowMs = core.clock.wallMs();
  await saveLedger(tx, account, { before, after: proveValue(before, index), nowMs });
  await tx
    .updateTable("credentials")
    .set({ proven_at: nowMs, proven_by: "vault" })
    .where("account_id", "=", account.account_id)
    .where("epoch", "=", index[0])
    .where("number", "=", index[1])
    .execute();
  const changed = await tx
    .selectFrom("accounts")
    .selectAll()
    .where("account_id", "=", account.account_id)
    .executeTakeFirstOrThrow();
  await fillPool(await registryOf(core, tx), tx, changed);
}

async function putAttempts(
  tx: VaultTransaction,
  account: AccountRow,
  { spent, lastAtMs, edgeOffAtMs }: Attempts & { readonly edgeOffAtMs: number },
): Promise<void> {
  const values = { spent, last_at: lastAtMs, edge_off_at: edgeOffAtMs };
  await tx
    .insertInto("probes")
    .values({ account_id: account.account_id, ...values })
    .onConflict((conflict) => conflict.column("account_id").doUpdateSet(values))
    .execute();
}

async function leaf(
  core: VaultCore,
  tx: VaultTransaction,
  account: AccountRow,
  what: {
    action: "rotation.probe" | "rotation.proven";
    index: CandidateIndex;
    outcome: "ok" | "failed" | "unknown";
    attempt?: number;
    says?: string;
  },
): Promise<void> {
  const [epoch, number] = what.index;
  await core.log.append(tx, {
    action: what.action,
    actor: { kind: "operator", id: "local" },
    subject: { kind: "account", id: account.path },
    outcome: what.outcome,
    ...(what.outcome === "ok" || what.says === undefined ? {} : { code: what.says }),
    details: {
      epoch,
      number,
      ...(what.attempt === undefined ? {} : { attempt: what.attempt }),
      ...(what.says === undefined ? {} : { says: what.says }),
    },
  });
}
