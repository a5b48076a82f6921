import type { NodeTime } from "../../agent/node/index.ts";
import { mayUse, type TimeInterval } from "../../protocol/time/index.ts";
import type { Account, OpenOrder } from "./account.ts";

/** Whether the order may be carried out now; only the clock is asked, so a refusal says "clock". */
export function judgeOrder(order: OpenOrder, time: NodeTime): ReturnType<typeof mayUse> {
  const interval: TimeInterval = {
    loMs: time.lo * 1000,
    hiMs: time.hi === null ? null : time.hi * 1000,
    probableMs: null,
  };
  return mayUse(interval, order.window, false);
}

/** An order of one of these accounts to change it at once, outside of windows too, or null. */
export function urgentOrder(accounts: readonly Account[], time: NodeTime): OpenOrder | null {
  const orders = accounts.flatMap((account) => account.orders);
  return orders.find((order) => order.now && order.action === "rotate" && judgeOrder(order, time) === "yes") ?? null;
}
