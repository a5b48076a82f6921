import type { Store, Transaction, View } from "../../agent/store/index.ts";
import { encodeTcbor, toHex } from "../../protocol/base/index.ts";
import type { Fact } from "../../protocol/bundle/index.ts";
import { encodeFact } from "../../protocol/content/index.ts";
import { isResting, type RotationEffect, type RotationState } from "../../protocol/rotation/index.ts";
import { type Account, nameOf, type OpenOrder } from "./account.ts";
import type { Books } from "./commit.ts";
import { tables } from "./record.ts";

/** How an order ended. `refused` before anything was sent, `failed` after. */
export interface OrderEnd {
  readonly outcome: "done" | "refused" | "failed" | "expired";
  readonly code: string | null;
}

/** Whether this transition ends the order under way; `release` where it has to be tried again. */
export function orderEnd(state: RotationState, effects: readonly RotationEffect[]): OrderEnd | "release" | null {
  if (state.phase === "UNKNOWN") {
    const raised = effects.findLast((effect) => effect.kind === "alarm");
    // What was staged for another account to set, and given back, is staged again while the order has its authority.
    const cancelled = effects.some((effect) => effect.kind === "leaf" && effect.action === "rotation.cancelled");
    return cancelled && raised === undefined ? "release" : { outcome: "failed", code: raised?.code ?? "ROTATION_UNKNOWN" };
  }
  const report = effects.findLast((effect) => effect.kind === "report");
  const alarm = effects.findLast((effect) => effect.kind === "alarm");
  // Saving what came back is no part of the order.
  const isOver = report?.report === "reverted" || (isResting(state) && state.pending === null);
  if (!isOver) return null;
  if (report === undefined) return "release";
  if (report.report === "verified" || report.report === "proven") return { outcome: "done", code: null };
  return { outcome: "failed", code: alarm?.code ?? report.code };
}

/** Notes the end, so that the order is never carried out again, and makes the fact that tells the vault. */
export function endOrder(tx: Transaction, orderId: Uint8Array, end: OrderEnd): Fact {
  tx.put(tables.order, orderId, encodeTcbor([end.outcome, end.code]));
  return encodeFact({ kind: "order-outcome", orderId, outcome: end.outcome, code: end.code });
}

/** Ends an order that no rotation was begun for, with a leaf that says why. Throws STORE_*. */
export function endUnbegun(
  account: Account,
  order: OpenOrder,
  end: OrderEnd,
  { store, books }: { store: Store; books: Pick<Books, "queueReport" | "audit" | "self"> },
): void {
  store.transaction((tx) => {
    books.audit.appendAll(tx, [
      {
        action: "order.refuse",
        actor: { kind: "node", id: books.self },
        subject: { kind: "account", id: nameOf(account) },
        outcome: "denied",
        code: end.code,
        details: { kind: order.action, orderId: toHex(order.id) },
      },
    ]);
    books.queueReport(tx, [endOrder(tx, order.id, end)]);
  });
  forgetOrder(account, order.id);
}

/** True where the order has ended here. */
export function hasEnded(view: View, orderId: Uint8Array): boolean {
  return view.get(tables.order, orderId) !== null;
}

/** Takes an order off the account's list; null where none was under way. */
export function forgetOrder(account: Pick<Account, "orders">, orderId: Uint8Array | null): void {
  account.orders = account.orders.filter(({ id }) => orderId === null || Buffer.compare(id, orderId) !== 0);
}
