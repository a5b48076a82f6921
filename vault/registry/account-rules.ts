import { sameBytes } from "../../protocol/base/index.ts";
import type { AccountRow, VaultTransaction } from "../store/index.ts";
import { RegistryError } from "./codes.ts";
import { accountAt } from "./devices.ts";
import type { RegistryContext } from "./registry-context.ts";

/** `ack-first`: an edge gets a value only when every gateway whose applications read the account holds it. `none` accepts the gap. */
export const consumerPolicies = ["ack-first", "none"] as const;
export type ConsumerPolicy = (typeof consumerPolicies)[number];

/** What is left out stays. */
export interface AccountRules {
  readonly consumers?: ConsumerPolicy | undefined;
  /** Path of the account that may set this one's password; null for none. */
  readonly reconcileBy?: string | null | undefined;
}

/** Changes an account's rules; what is the same already leaves no leaf. Throws REGISTRY_NOT_FOUND, REGISTRY_INVALID. */
export async function setAccountRules(
  context: RegistryContext,
  tx: VaultTransaction,
  account: AccountRow,
  rules: AccountRules,
): Promise<AccountRow> {
  const { consumers, reconcileBy } = rules;
  const after: AccountRow = {
    ...account,
    consumers: consumers ?? account.consumers,
    reconcile_by: reconcileBy === undefined ? account.reconcile_by : await reconciler(tx, account, reconcileBy),
  };
  const other = (["consumers", "reconcile_by"] as const).filter((field) => !same(account[field], after[field]));
  if (other.length === 0) return account;
  const { account_id, consumers: policy, reconcile_by } = after;
  await tx.updateTable("accounts").set({ consumers: policy, reconcile_by }).where("account_id", "=", account_id).execute();
  await context.audit(tx, {
    action: "account.change",
    actor: { kind: "operator", id: "local" },
    subject: { kind: "account", id: account.path },
    outcome: "ok",
    details: { field: other.map((field) => (field === "consumers" ? field : "reconcileBy")).join(", ") },
  });
  return after;
}

async function reconciler(tx: VaultTransaction, account: AccountRow, path: string | null): Promise<Uint8Array | null> {
  if (path === null) return null;
  const by = await accountAt(tx, path);
  if (sameBytes(by.device_id, account.device_id) && !sameBytes(by.account_id, account.account_id)) return by.account_id;
  throw new RegistryError("REGISTRY_INVALID", `${path} is not another account of the same device`);
}

function same(a: string | Uint8Array | null, b: string | Uint8Array | null): boolean {
  return a === b || (a instanceof Uint8Array && b instanceof Uint8Array && sameBytes(a, b));
}
