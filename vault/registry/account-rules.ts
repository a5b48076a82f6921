import { sameBytes } from "../../protocol/base/index.ts";
import type { RotatePolicy } from "../../protocol/content/index.ts";
import type { AccountRow, VaultTransaction } from "../store/index.ts";
import { RegistryError } from "./codes.ts";
import { fillPool } from "./credentials.ts";
import { accountAt } from "./devices.ts";
import { refuseMemoryOnly } from "./freshness-rules.ts";
import type { RegistryContext } from "./registry-context.ts";

/** `ack-first`: an edge gets a value only when every gateway whose applications read the account holds it. `none` accepts the gap. */
export const consumerPolicies = ["ack-first", "none"] as const;
export type ConsumerPolicy = (typeof consumerPolicies)[number];

/** What is left out stays. */
export interface AccountRules {
  readonly consumers?: ConsumerPolicy | undefined;
  /** Path of the account that may set this one's password; null for none. */
  readonly reconcileBy?: string | null | undefined;
  /** Seconds go with `interval`, null with the others. */
  readonly rotation?: { readonly rotate: RotatePolicy; readonly intervalS: number | null } | undefined;
  readonly windowless?: boolean | undefined;
  readonly breakGlass?: boolean | undefined;
  /** Sum of rotateOnBit: the events after which it is rotated. */
  readonly rotateOn?: number | undefined;
}

/** Columns that rules change, by the name that an operator knows. */
const columns = {
  consumers: "consumers",
  reconcile_by: "reconcileBy",
  rotate: "rotate",
  interval_s: "interval",
  windowless: "windowless",
  break_glass: "breakGlass",
  rotate_on: "rotateOn",
} as const;
type Column = keyof typeof columns;

/** Changes an account's rules; what is the same already leaves no leaf. Throws REGISTRY_NOT_FOUND, REGISTRY_INVALID, REGISTRY_MEMORY_ONLY. */
export async function setAccountRules(
  context: RegistryContext,
  tx: VaultTransaction,
  account: AccountRow,
  rules: AccountRules,
): Promise<AccountRow> {
  const { consumers, reconcileBy, rotation, windowless, breakGlass, rotateOn } = rules;
  if (rotation !== undefined && (rotation.rotate === "interval") !== (rotation.intervalS !== null))
    throw new RegistryError("REGISTRY_INVALID", "seconds go with the policy interval, and only there");
  if (account.group_id !== null && (breakGlass === true || rotation?.rotate === "never"))
    throw new RegistryError("REGISTRY_INVALID", `${account.path} is in a group, which changes together`);
  if (rotation !== undefined && rotation.rotate !== "never") await refuseMemoryOnly(tx, account, "rotating it");
  const after: AccountRow = {
    ...account,
    consumers: consumers ?? account.consumers,
    reconcile_by: reconcileBy === undefined ? account.reconcile_by : await reconciler(tx, account, reconcileBy),
    rotate: rotation?.rotate ?? account.rotate,
    interval_s: rotation === undefined ? account.interval_s : rotation.intervalS,
    windowless: windowless === undefined ? account.windowless : Number(windowless),
    break_glass: breakGlass === undefined ? account.break_glass : Number(breakGlass),
    rotate_on: rotateOn ?? account.rotate_on,
  };
  const changed = (Object.keys(columns) as Column[]).filter((column) => !same(account[column], after[column]));
  if (changed.length === 0) return account;
  const values: Partial<AccountRow> = Object.fromEntries(changed.map((column) => [column, after[column]]));
  await tx.updateTable("accounts").set(values).where("account_id", "=", account.account_id).execute();
  await context.audit(tx, {
    action: "account.change",
    actor: { kind: "operator", id: "local" },
    subject: { kind: "account", id: account.path },
    outcome: "ok",
    details: { field: changed.map((column) => columns[column]).join(", ") },
  });
  // Under the policy never no value was issued ahead.
  if (account.rotate === "never") await fillPool(context, tx, after);
  return after;
}

async function reconciler(tx: VaultTransaction, account: AccountRow, path: string | null): Promise<Uint8Array | null> {
  if (path === null) return null;
  const by = await accountAt(tx, path);
  if (sameBytes(by.device_id, account.device_id) && !sameBytes(by.account_id, account.account_id)) return by.account_id;
  throw new RegistryError("REGISTRY_INVALID", `${path} is not another account of the same device`);
}

function same(a: AccountRow[Column], b: AccountRow[Column]): boolean {
  return a === b || (a instanceof Uint8Array && b instanceof Uint8Array && sameBytes(a, b));
}
