import { assert, concat, decodeTcbor, encodeTcbor, sameBytes, toHex, u64be } from "../../protocol/base/index.ts";
import { type Fields, fieldsFromTcbor, fieldsToTcbor, fingerprintOf, wipeFields } from "../../protocol/content/index.ts";
import {
  type CandidateIndex,
  giveValue,
  issueValue,
  type Ledger,
  type LedgerStatus,
  openLedger,
  openValues,
} from "../../protocol/rotation/index.ts";
import { checkFields, GenerationError, generateFields } from "../generation/index.ts";
import type { AccountRow, CredentialRow, VaultTransaction } from "../store/index.ts";
import { RegistryError } from "./codes.ts";
import { fingerprintKeyOf } from "./devices.ts";
import { loadLedger, saveLedger } from "./ledger-rows.ts";
import { poolSize, redraws } from "./limits.ts";
import { modelConstraints } from "./models.ts";
import type { RegistryContext } from "./registry-context.ts";

/** One version, its value opened; the caller wipes `fields`. */
export interface CredentialVersion {
  readonly index: CandidateIndex;
  readonly status: LedgerStatus;
  readonly source: string;
  readonly fields: Fields;
  readonly fingerprint: Uint8Array;
  readonly createdAtMs: number;
  readonly provenAtMs: number | null;
  readonly provenBy: string | null;
  /** When its status became what it is; null while it is the first. */
  readonly statusAtMs: number | null;
}

/**
 * Takes the value that is live on the device now as the account's current one, and fills the pool behind it. Values issued before
 * stay candidates for ever, but no edge may stage them any more. Throws GENERATION_VALUE_REFUSED.
 */
export async function setCredential(
  context: RegistryContext,
  tx: VaultTransaction,
  account: AccountRow,
  fields: Fields,
): Promise<CandidateIndex> {
  checkFields(await constraintsOf(tx, account), fields);
  const fingerprint = fingerprintWith(context, account, fields);
  const before = await loadLedger(tx, account);
  const given =
    before === null
      ? { ledger: openLedger(account.epoch, fingerprint), index: [account.epoch, 0] as CandidateIndex }
      : giveValue(withoutOpenValues(before), fingerprint);
  await saveLedger(tx, account, { before, after: given.ledger, nowMs: context.nowMs() });
  await insertVersion(context, tx, account, { index: given.index, status: "acknowledged", source: "set", fields, fingerprint });
  await audit(context, tx, account, "credential.set", given.index);
  await fillPool(context, tx, await reload(tx, account));
  return given.index;
}

/**
 * Issues values until the pool is full; each is durable with this transaction, before anything exports it. Where none can be made that
 * is an alarm and no error: what goes on in the same transaction, such as a report or the live value of a person, must not be lost by it.
 */
export async function fillPool(context: RegistryContext, tx: VaultTransaction, account: AccountRow): Promise<number> {
  const ledger = await loadLedger(tx, account);
  if (ledger === null || ledger.unsettled || account.rotate === "never") return 0;
  const missing = poolSize - openValues(ledger).length;
  let row = account;
  for (let i = 0; i < missing; i += 1) {
    try {
      await issueOne(context, tx, row);
    } catch (error) {
      if (!(error instanceof GenerationError)) throw error;
      await raiseOnce(context, tx, account, error.code);
      return i;
    }
    row = await reload(tx, row);
  }
  return Math.max(0, missing);
}

/** All versions of an account, newest first, opened. */
export async function credentialVersions(
  context: Pick<RegistryContext, "seal">,
  tx: VaultTransaction,
  accountId: Uint8Array,
  statuses?: readonly LedgerStatus[],
): Promise<CredentialVersion[]> {
  let query = tx.selectFrom("credentials").selectAll().where("account_id", "=", accountId);
  if (statuses !== undefined) query = query.where("status", "in", [...statuses]);
  const rows = await query.orderBy("epoch", "desc").orderBy("number", "desc").execute();
  return rows.map((row) => openVersion(context, row));
}

/** The versions that may be live or staged, of these accounts or of all: by account id in hexadecimal, newest first. */
export async function openVersions(
  context: Pick<RegistryContext, "seal">,
  tx: VaultTransaction,
  accountIds: readonly Uint8Array[] | null,
): Promise<ReadonlyMap<string, readonly CredentialVersion[]>> {
  const live: readonly LedgerStatus[] = ["acknowledged", "issued"];
  const versions = new Map<string, CredentialVersion[]>();
  if (accountIds !== null) {
    for (const id of accountIds) versions.set(toHex(id), await credentialVersions(context, tx, id, live));
    return versions;
  }
  const rows = await tx
    .selectFrom("credentials")
    .selectAll()
    .where("status", "in", [...live])
    .orderBy("epoch", "desc")
    .orderBy("number", "desc")
    .execute();
  for (const row of rows) {
    const key = toHex(row.account_id);
    versions.set(key, [...(versions.get(key) ?? []), openVersion(context, row)]);
  }
  return versions;
}

/** The current version. Throws REGISTRY_NO_CREDENTIAL. */
export async function currentVersion(
  context: Pick<RegistryContext, "seal">,
  tx: VaultTransaction,
  account: AccountRow,
): Promise<CredentialVersion> {
  const [current] = await credentialVersions(context, tx, account.account_id, ["acknowledged"]);
  if (current !== undefined) return current;
  throw new RegistryError("REGISTRY_NO_CREDENTIAL", `${account.path} has no credential yet`, {
    hint: `Give the one that is live now: tidegate credential set ${account.path}.`,
  });
}

async function issueOne(context: RegistryContext, tx: VaultTransaction, account: AccountRow): Promise<void> {
  const ledger = await loadLedger(tx, account);
  assert(ledger !== null, "a pool follows a first value");
  const { fields, fingerprint } = await drawNew(context, tx, account, ledger);
  const issued = issueValue(ledger, fingerprint);
  await saveLedger(tx, account, { before: ledger, after: issued.ledger, nowMs: context.nowMs() });
  await insertVersion(context, tx, account, {
    index: issued.index,
    status: "issued",
    source: "generated",
    fields,
    fingerprint,
  });
  wipeFields(fields);
  await audit(context, tx, account, "credential.issue", issued.index);
}

/** A value that this account never had: with four digits a repetition is likely, and a repeated one proves nothing. */
async function drawNew(
  context: RegistryContext,
  tx: VaultTransaction,
  account: AccountRow,
  ledger: Ledger,
): Promise<{ fields: Fields; fingerprint: Uint8Array }> {
  const constraints = await constraintsOf(tx, account);
  for (let draw = 0; draw < redraws; draw += 1) {
    const fields = generateFields(constraints, context.random);
    const fingerprint = fingerprintWith(context, account, fields);
    if (!ledger.values.some((value) => sameBytes(value.fingerprint, fingerprint))) return { fields, fingerprint };
    wipeFields(fields);
  }
  throw new GenerationError("GENERATION_EXHAUSTED", `${account.path} has had nearly every value that its model allows`);
}

/** Stores one version, its value sealed; its place in the ledger is the caller's. */
export async function insertVersion(
  context: RegistryContext,
  tx: VaultTransaction,
  account: AccountRow,
  version: { index: CandidateIndex; status: LedgerStatus; source: string; fields: Fields; fingerprint: Uint8Array },
): Promise<void> {
  const [epoch, number] = version.index;
  const plaintext = encodeTcbor(fieldsToTcbor(version.fields));
  const now = context.nowMs();
  await tx
    .insertInto("credentials")
    .values({
      account_id: account.account_id,
      epoch,
      number,
      status: version.status,
      source: version.source,
      fields_sealed: context.seal.seal(fieldsPlace(account.account_id, version.index), plaintext),
      fingerprint: version.fingerprint,
      created_at: now,
      proven_at: null,
      proven_by: null,
      status_at: null,
    })
    .execute();
  plaintext.fill(0);
}

function openVersion(context: Pick<RegistryContext, "seal">, row: CredentialRow): CredentialVersion {
  const index: CandidateIndex = [row.epoch, row.number];
  const plaintext = context.seal.open(fieldsPlace(row.account_id, index), row.fields_sealed);
  const fields = fieldsFromTcbor(decodeTcbor(plaintext), "credential");
  plaintext.fill(0);
  return {
    index,
    status: row.status as LedgerStatus,
    source: row.source,
    fields,
    fingerprint: row.fingerprint,
    createdAtMs: row.created_at,
    provenAtMs: row.proven_at,
    provenBy: row.proven_by,
    statusAtMs: row.status_at,
  };
}

function withoutOpenValues(ledger: Ledger): Ledger {
  const values = ledger.values.map((value) =>
    value.status === "issued" ? { ...value, status: "superseded" as const } : value,
  );
  return { ...ledger, values };
}

/** The fingerprint of a value under its account's key. */
export function fingerprintWith(context: RegistryContext, account: AccountRow, fields: Fields): Uint8Array {
  const key = fingerprintKeyOf(context, account);
  const fingerprint = fingerprintOf(key, fields);
  key.fill(0);
  return fingerprint;
}

async function constraintsOf(tx: VaultTransaction, account: AccountRow) {
  const { model } = await tx
    .selectFrom("devices")
    .select("model")
    .where("device_id", "=", account.device_id)
    .executeTakeFirstOrThrow();
  return modelConstraints(tx, model);
}

async function reload(tx: VaultTransaction, account: AccountRow): Promise<AccountRow> {
  return tx.selectFrom("accounts").selectAll().where("account_id", "=", account.account_id).executeTakeFirstOrThrow();
}

async function audit(
  context: RegistryContext,
  tx: VaultTransaction,
  account: AccountRow,
  action: "credential.set" | "credential.issue",
  [epoch, number]: CandidateIndex,
): Promise<void> {
  await context.audit(tx, {
    action,
    actor: action === "credential.set" ? { kind: "operator", id: "local" } : { kind: "node", id: "vault" },
    subject: { kind: "account", id: account.path },
    outcome: "ok",
    details: { epoch, number },
  });
}

async function raiseOnce(context: RegistryContext, tx: VaultTransaction, { path }: AccountRow, code: string): Promise<void> {
  const known = await tx
    .selectFrom("alarms")
    .select("alarm_id")
    .where("code", "=", code)
    .where("subject", "=", path)
    .where("resolved_at", "is", null)
    .executeTakeFirst();
  if (known !== undefined) return;
  const alarm = {
    alarm_id: context.random(16),
    node_id: null,
    code,
    subject: path,
    at: context.nowMs(),
    count: 1,
    resolved_at: null,
  };
  await tx.insertInto("alarms").values(alarm).execute();
  await context.audit(tx, {
    action: "alarm.raise",
    actor: { kind: "node", id: "vault" },
    subject: { kind: "account", id: path },
    outcome: "failed",
    code,
    details: { reason: code },
  });
}

/** Where a version's fields stand. */
export function fieldsPlace(accountId: Uint8Array, [epoch, number]: CandidateIndex) {
  return { table: "credentials", row: concat(accountId, u64be(epoch), u64be(number)), column: "fields" };
}
