import type { DeviceCode, DeviceHelper, DeviceModel, Outcome } from "../../firmware-adapters/index.ts";
import { toHex } from "../../protocol/base/index.ts";
import { type DeviceEffect, isResting } from "../../protocol/rotation/index.ts";
import type { Account } from "./account.ts";
import { servedRef } from "./record.ts";

/** What an adapter says where the helper's own login was refused. */
const helperRefused: ReadonlySet<DeviceCode> = new Set(["SSH_HELPER_REFUSED", "SNMP_HELPER_REFUSED"]);

/** Who makes the changes on an account's device. */
export type Helper =
  /** The account itself. */
  | { readonly kind: "self" }
  /** The model names another account, and this edge does not hold it for this device, or its password was refused. */
  | { readonly kind: "missing" | "refused" }
  | { readonly kind: "account"; readonly account: Account };

/** Finds it by the path in the setting `admin`: only an account of the same device may be sent there. */
export function helperOf(account: Account, all: Iterable<Account>): Helper {
  const { device } = account;
  const model = device?.model ?? null;
  if (device === null || model?.adapter !== "ssh" || model.parameters.changedBy !== "admin") return { kind: "self" };
  const path = device.settings["admin"];
  for (const other of all) {
    if (other.content === null || other.content.path !== path || other.device?.key !== device.key) continue;
    return other.refusedAsHelper === servedRef(other.record.state) ? { kind: "refused" } : { kind: "account", account: other };
  }
  return { kind: "missing" };
}

/**
 * The account that the vault lets set this one's password where no candidate works, or null: one of the same device whose own password is
 * certain, on a device whose model says that one account may set another one's password.
 */
export function reconcilerOf(account: Account, all: Iterable<Account>): Account | null {
  const { device, content } = account;
  const model = device?.model ?? null;
  if (model === null || !setsOthers(model) || content?.reconcileBy == null) return null;
  const key = toHex(content.reconcileBy);
  for (const other of all) {
    if (other === account || other.key !== key || other.content === null || other.device?.key !== device?.key) continue;
    const { state } = other.record;
    return isResting(state) && other.refusedAsHelper !== servedRef(state) ? other : null;
  }
  return null;
}

function setsOthers(model: DeviceModel): boolean {
  if (model.adapter === "snmp") return model.parameters.userReset;
  return model.adapter === "ssh" && model.parameters.changedBy === "admin";
}

/** Who makes this exchange's change. */
export function helperFor(account: Account, { by }: Pick<DeviceEffect, "by">, all: Iterable<Account>): Helper {
  if (by === "account") return helperOf(account, all);
  const reconciler = reconcilerOf(account, all);
  return reconciler === null ? { kind: "missing" } : { kind: "account", account: reconciler };
}

/** True where nobody can make the changes now: a rotation is refused before anything is staged. */
export function lacksHelper(account: Account, all: Iterable<Account>): boolean {
  const { kind } = helperOf(account, all);
  return kind === "missing" || kind === "refused";
}

/**
 * Notes that the device refused the helper's password: until it is another one, or was proven, nobody is changed with it.
 * Every account of the device would spend an attempt of the helper's otherwise.
 */
export function noteHelper(account: Account, helper: Helper, outcome: Outcome): void {
  if (helper.kind === "account" && helperRefused.has(outcome.code))
    helper.account.refusedAsHelper = servedRef(helper.account.record.state);
  if (outcome.kind === "OK") account.refusedAsHelper = null;
}

/** The helper's login for one exchange; the caller wipes the secrets. */
export function helperLogin(account: Account, secrets: DeviceHelper["secrets"]): DeviceHelper {
  return { username: account.content?.username ?? "", secrets };
}
