import { TidegateError, toHex } from "../../protocol/base/index.ts";
import type { OrderAction, OrderCause } from "../../protocol/content/index.ts";
import { nodeRole } from "../../protocol/trust/index.ts";
import type { AccountRow, OrderRow, VaultTransaction } from "../store/index.ts";
import { deviceOf } from "./change-device.ts";
import { RegistryError } from "./codes.ts";
import { accountAt } from "./devices.ts";
import { refuseMemoryOnly } from "./freshness-rules.ts";
import { usualOrderS } from "./limits.ts";
import { wayOf } from "./node-way.ts";
import { nextOpening, usualWithinS } from "./order-window.ts";
import type { RegistryContext } from "./registry-context.ts";

export const ORDER_CODES = {
  /** The account's policy is never to rotate it, or no other account may set its password. */
  ORDER_NOT_ALLOWED: { fault: "operator", retryable: false },
  /** An operator holds the device. */
  ORDER_ON_HOLD: { fault: "operator", retryable: true },
  /** The order would end before the device's next maintenance window begins. */
  ORDER_OUTSIDE_WINDOW: { fault: "operator", retryable: true },
  /** No edge is enrolled in the account's zone. */
  ORDER_NO_EDGE: { fault: "operator", retryable: true },
  /** Nothing reaches the account's edge but sticks, and the order would end before one can. */
  ORDER_ONE_WAY: { fault: "operator", retryable: true },
  /** No such order of the account is open. */
  ORDER_NONE_OPEN: { fault: "operator", retryable: false },
  /** How an order ended: an operator took it back. */
  ORDER_WITHDRAWN: { fault: "operator", retryable: true },
} as const;

export class OrderError extends TidegateError<keyof typeof ORDER_CODES> {
  constructor(code: keyof typeof ORDER_CODES, message: string, hint: string) {
    super(ORDER_CODES, code, message, { hint });
  }
}

export interface OrderInput {
  /** zone/device/account. */
  readonly path: string;
  readonly action: OrderAction;
  /** Seconds in which the edge may begin; afterwards the order is void. Default: an hour, or to the end of the device's next window. */
  readonly withinS?: number | undefined;
  /** Also outside the device's windows. */
  readonly now?: boolean | undefined;
  /** Who says so, as the machine's own accounts name him. */
  readonly operator?: string | undefined;
  /** Default "operator". */
  readonly cause?: OrderCause;
  /** Seconds from now until it may begin; default 0. `withinS` counts from then. */
  readonly afterS?: number;
  /** The lease that it ends. */
  readonly leaseId?: Uint8Array;
}

/** Orders a rotation or a read-only check of an account, once. Throws ORDER_*, REGISTRY_NOT_FOUND, REGISTRY_NO_CREDENTIAL, REGISTRY_MEMORY_ONLY. */
export async function giveOrder(context: RegistryContext, tx: VaultTransaction, input: OrderInput): Promise<OrderRow> {
  const account = await accountAt(tx, input.path);
  const [zone = ""] = account.path.split("/");
  const edge = await tx
    .selectFrom("nodes")
    .select("node_id")
    .where("role", "=", nodeRole.edge)
    .where("zone", "=", zone)
    .where("state", "<>", "replaced")
    .executeTakeFirst();
  if (edge === undefined) {
    throw new OrderError(
      "ORDER_NO_EDGE",
      `no edge is enrolled in zone ${zone}`,
      `tidegate vault enroll NAME --role edge --zone ${zone}`,
    );
  }
  if (input.withinS === undefined && (await wayOf(tx, edge.node_id)) === "up") {
    throw new OrderError(
      "ORDER_ONE_WAY",
      `nothing reaches zone ${zone} but sticks`,
      "Say how long the order holds with --within, such as 7d: the stick must arrive in that time.",
    );
  }
  if (input.action !== "verify" && account.rotate === "never") {
    throw new OrderError(
      "ORDER_NOT_ALLOWED",
      `${account.path} is never rotated`,
      `tidegate device set ${account.path} --rotate on-demand`,
    );
  }
  if (input.action === "reconcile" && account.reconcile_by === null) {
    throw new OrderError(
      "ORDER_NOT_ALLOWED",
      `no other account may set the password of ${account.path}`,
      `tidegate device set ${account.path} --reconcile-by ZONE/DEVICE/ACCOUNT`,
    );
  }
  await refuseMemoryOnly(tx, account, `an order to ${input.action} it`);
  const withinS = await withinOf(context, tx, account, input);
  const current = await tx
    .selectFrom("credentials")
    .select("number")
    .where("account_id", "=", account.account_id)
    .where("status", "=", "acknowledged")
    .executeTakeFirst();
  if (current === undefined) {
    throw new RegistryError("REGISTRY_NO_CREDENTIAL", `${account.path} has no credential yet`, {
      hint: `Give the one that is live now: tidegate credential set ${account.path}.`,
    });
  }
  const from = Math.floor(context.nowMs() / 1000) + (input.afterS ?? 0);
  const order: OrderRow = {
    order_id: context.random(16),
    account_id: account.account_id,
    action: input.action,
    cause: input.cause ?? "operator",
    now: input.now === true ? 1 : 0,
    not_before: from,
    not_after: from + withinS,
    state: "open",
    outcome: null,
    code: null,
    created_at: context.nowMs(),
    finished_at: null,
    lease_id: input.leaseId ?? null,
  };
  await tx.insertInto("orders").values(order).execute();
  await context.audit(tx, {
    action: "order.accept",
    actor: { kind: "operator", id: "local" },
    subject: { kind: "account", id: account.path },
    outcome: "ok",
    details: {
      kind: input.action,
      orderId: toHex(order.order_id),
      notBeforeMs: order.not_before * 1000,
      notAfterMs: order.not_after * 1000,
      ...(input.now === true ? { now: true } : {}),
      ...(input.operator === undefined ? {} : { operator: input.operator }),
    },
  });
  return order;
}

/** How long the order holds. A person's order that could never begin is refused here; another one waits for what comes. */
async function withinOf(
  context: RegistryContext,
  tx: VaultTransaction,
  account: AccountRow,
  { action, withinS, now, cause = "operator" }: OrderInput,
): Promise<number> {
  if (action !== "rotate") return withinS ?? usualOrderS;
  const device = await deviceOf(tx, account);
  const path = `${device.zone}/${device.name}`;
  if (device.held === 1 && cause === "operator")
    throw new OrderError("ORDER_ON_HOLD", `${path} is held by an operator`, `tidegate device release ${path}`);
  if (now === true) return withinS ?? usualOrderS;
  const nowMs = context.nowMs();
  if (withinS === undefined) return usualWithinS(device, nowMs);
  const opening = nextOpening(device, nowMs);
  if (opening === null || cause !== "operator" || opening.fromMs <= nowMs + withinS * 1000) return withinS;
  throw new OrderError(
    "ORDER_OUTSIDE_WINDOW",
    `the next maintenance window of ${path} begins at ${new Date(opening.fromMs).toISOString()}`,
    "Leave --within out, or override the window for this one order with --now.",
  );
}

/**
 * Takes an account's open orders of one kind back: no edge begins them once it hears of it, and what one has begun it finishes. Returns
 * them as they end. Throws REGISTRY_NOT_FOUND, ORDER_NONE_OPEN.
 */
export async function withdrawOrders(
  context: RegistryContext,
  tx: VaultTransaction,
  { path, action }: Pick<OrderInput, "path" | "action">,
): Promise<OrderRow[]> {
  const account = await accountAt(tx, path);
  const withdrawn = await tx
    .updateTable("orders")
    .set({ state: "done", outcome: "withdrawn", code: "ORDER_WITHDRAWN", finished_at: context.nowMs() })
    .where("account_id", "=", account.account_id)
    .where("action", "=", action)
    .where("state", "=", "open")
    .returningAll()
    .execute();
  if (withdrawn.length === 0) {
    const hint = `'tidegate device show ${path.split("/").slice(0, 2).join("/")}' says what the edge last reported.`;
    throw new OrderError("ORDER_NONE_OPEN", `no order to ${action} ${path} is open`, hint);
  }
  for (const order of withdrawn) {
    await context.audit(tx, {
      action: "order.withdraw",
      actor: { kind: "operator", id: "local" },
      subject: { kind: "account", id: path },
      outcome: "ok",
      details: { kind: action, orderId: toHex(order.order_id) },
    });
  }
  return withdrawn;
}

/** Throws REGISTRY_NOT_FOUND. */
export async function orderOf(tx: VaultTransaction, orderId: Uint8Array): Promise<OrderRow> {
  const row = await tx.selectFrom("orders").selectAll().where("order_id", "=", orderId).executeTakeFirst();
  if (row !== undefined) return row;
  throw new RegistryError("REGISTRY_NOT_FOUND", "there is no such order");
}
