import { fromHex, sameBytes } from "../../protocol/base/index.ts";
import { type Fields, makeFields, wipeFields } from "../../protocol/content/index.ts";
import { type CandidateIndex, compareIndex, type Ledger, learnEscrow } from "../../protocol/rotation/index.ts";
import {
  fillPool,
  fingerprintWith,
  insertVersion,
  loadLedger,
  moveVersion,
  type RegistryContext,
  saveLedger,
} from "../registry/index.ts";
import type { AccountRow, VaultTransaction } from "../store/index.ts";
import { registryOf, type VaultCore } from "../streams/index.ts";
import { RecoveryError } from "./codes.ts";

/** A value of an escrow, opened with the recovery key. */
export interface LearnedValue {
  readonly index: CandidateIndex;
  readonly fields: Readonly<Record<string, string>>;
}

export interface LearnedAccount {
  /** Hexadecimal. */
  readonly accountId: string;
  readonly current: CandidateIndex;
  readonly values: readonly LearnedValue[];
}

/** What came of one account: the versions that this vault did not know, and those of which it knew another value. */
export interface Learned {
  readonly path: string | null;
  readonly learned: readonly string[];
  readonly forks: readonly string[];
}

interface OpenedValue {
  readonly index: CandidateIndex;
  readonly fields: Fields;
  readonly fingerprint: Uint8Array;
}

/**
 * Takes in what an edge's escrow says about one account. Whatever is not known is a candidate from now on; of two values under one number
 * the edge's stays under it, since its device may have it by now, and the vault's goes to the history under a new one. Nothing is issued
 * by that yet.
 */
export async function learnAccount(core: VaultCore, tx: VaultTransaction, word: LearnedAccount): Promise<Learned> {
  const id = fromHex(word.accountId) ?? new Uint8Array(0);
  const account = await tx.selectFrom("accounts").selectAll().where("account_id", "=", id).executeTakeFirst();
  const stored = account === undefined ? null : await loadLedger(tx, account);
  if (account === undefined || stored === null) return { path: account?.path ?? null, learned: [], forks: [] };
  const context = await registryOf(core, tx);
  const values = word.values.map(({ index, fields }): OpenedValue => {
    const made = makeFields(Object.entries(fields).map(([name, text]) => [name, new Uint8Array(Buffer.from(text, "base64"))]));
    return { index, fields: made, fingerprint: fingerprintWith(context, account, made) };
  });
  const isFork = ({ index, fingerprint }: OpenedValue) =>
    stored.values.some((each) => compareIndex(each.index, index) === 0 && !sameBytes(each.fingerprint, fingerprint));
  const forks = values.filter(isFork);
  const ledger = await withForksMoved(context, tx, account, { ledger: stored, forks, told: values });
  const learned = learnEscrow(ledger, { current: word.current, values });
  const after = { ...learned, unsettled: ledger.unsettled };
  const fresh = values.filter(({ index }) => !ledger.values.some((each) => compareIndex(each.index, index) === 0));
  for (const value of fresh) {
    const status = after.values.find(({ index }) => compareIndex(index, value.index) === 0)?.status ?? "superseded";
    // One that counts as live takes the mark below, once no other bears it.
    await insertVersion(context, tx, account, {
      ...value,
      status: status === "acknowledged" ? "issued" : status,
      source: "escrow",
    });
  }
  const before = { ...ledger, values: [...ledger.values, ...fresh.map((value) => ({ ...value, status: "issued" as const }))] };
  await saveLedger(tx, account, { before, after, nowMs: core.clock.wallMs() });
  for (const { fields } of values) wipeFields(fields);
  const text = (list: readonly OpenedValue[]) => list.map(({ index }) => index.join("."));
  return { path: account.path, learned: text(fresh.filter((value) => !forks.includes(value))), forks: text(forks) };
}

/** The vault's own values under the forked numbers go to the end of the history, under numbers that nobody has given out. */
async function withForksMoved(
  context: RegistryContext,
  tx: VaultTransaction,
  account: AccountRow,
  of: { ledger: Ledger; forks: readonly OpenedValue[]; told: readonly OpenedValue[] },
): Promise<Ledger> {
  const { epoch } = of.ledger;
  const told = of.told.filter(({ index }) => index[0] === epoch).map(({ index }) => index[1] + 1);
  let ledger = { ...of.ledger, nextNumber: Math.max(of.ledger.nextNumber, ...told) };
  for (const { index } of of.forks) {
    const to: CandidateIndex = [epoch, ledger.nextNumber];
    await moveVersion(context, tx, account, { from: index, to });
    ledger = {
      ...ledger,
      nextNumber: ledger.nextNumber + 1,
      values: ledger.values.map((each) =>
        compareIndex(each.index, index) === 0 ? { ...each, index: to, status: "superseded" as const } : each,
      ),
    };
  }
  return ledger;
}

async function refill(core: VaultCore, tx: VaultTransaction, { account_id }: AccountRow): Promise<void> {
  const changed = await tx.selectFrom("accounts").selectAll().where("account_id", "=", account_id).executeTakeFirstOrThrow();
  await fillPool(await registryOf(core, tx), tx, changed);
}

/** Ends the waiting of a zone: its edge has nothing more to say of these accounts, or is gone for ever. Returns their paths. */
export async function settleZone(core: VaultCore, tx: VaultTransaction, zone: string): Promise<string[]> {
  const rows = await tx
    .selectFrom("accounts")
    .selectAll()
    .where("unsettled", "=", 1)
    .where("path", ">=", `${zone}/`)
    // The character after the slash: every path of the zone, and no other, lies between.
    .where("path", "<", `${zone}0`)
    .execute();
  for (const account of rows) {
    const before = await loadLedger(tx, account);
    if (before === null) continue;
    await saveLedger(tx, account, { before, after: learnEscrow(before, null), nowMs: core.clock.wallMs() });
    await refill(core, tx, account);
  }
  return rows.map(({ path }) => path);
}

/** Every escrow that no recovery key has opened yet, oldest first. */
export async function openEscrows(tx: VaultTransaction) {
  return tx
    .selectFrom("escrows")
    .innerJoin("nodes", "nodes.node_id", "escrows.node_id")
    .select(["escrows.node_id", "nodes.name", "nodes.zone", "nodes.state", "epoch", "seq", "received_at", "context", "escrow"])
    .where("learned", "=", 0)
    .orderBy("received_at")
    .orderBy("epoch")
    .orderBy("seq")
    .execute();
}

/** The node's zone, and whether this escrow lets the vault issue to it again; `learned` notes that all of it was taken in. Throws RECOVERY_ESCROW. */
export async function escrowAt(
  core: VaultCore,
  tx: VaultTransaction,
  escrow: { nodeId: Uint8Array; epoch: number; seq: number; learned: boolean },
): Promise<{ zone: string; settles: boolean }> {
  const { vaultEpoch } = await registryOf(core, tx);
  const node = await tx.selectFrom("nodes").selectAll().where("node_id", "=", escrow.nodeId).executeTakeFirst();
  const found = await tx
    .updateTable("escrows")
    .set({ learned: escrow.learned ? 1 : 0 })
    .where("node_id", "=", escrow.nodeId)
    .where("epoch", "=", escrow.epoch)
    .where("seq", "=", escrow.seq)
    .executeTakeFirst();
  if (node === undefined || found.numUpdatedRows === 0n) throw new RecoveryError("RECOVERY_ESCROW", "there is no such escrow");
  return { zone: node.zone, settles: node.state !== "behind" && escrow.epoch === vaultEpoch };
}
