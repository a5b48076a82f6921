import { rotationBudgetMs } from "../../firmware-adapters/index.ts";
import { isResting, type RotationInputs } from "../../protocol/rotation/index.ts";
import type { Openness, TimeInterval } from "../../protocol/time/index.ts";
import type { Account, OpenOrder } from "./account.ts";
import { exchangeTimeoutMs } from "./limits.ts";

const always: Openness = { kind: "open", leftMs: Number.POSITIVE_INFINITY, sinceMs: Number.POSITIVE_INFINITY };

/** Exchanges of a rotation from its first one on, and from the push on. */
const exchangesOfAll = 6;
const exchangesFromPush = 4;

/** What the device's windows say to the account now; `order` is the one that is about to begin, else the one under way counts. */
export function opennessOf(account: Account, time: TimeInterval, order: OpenOrder | null): Openness {
  if ((order ?? orderUnderWay(account))?.now === true) return always;
  return account.device?.calendar.judge(time) ?? always;
}

function orderUnderWay({ record, orders }: Account): OpenOrder | null {
  const { orderId } = record;
  return (orderId === null ? undefined : orders.find(({ id }) => Buffer.compare(id, orderId) === 0)) ?? null;
}

/** A window without any end needs no clock, but an account that is not `windowless` asks for one all the same. */
export function windowInputs(
  account: Account,
  openness: Openness,
  time: TimeInterval,
): Pick<RotationInputs, "clockFit" | "windowOpen"> {
  if (openness.kind === "clock-unknown") {
    const windowless = account.content?.windowless === true;
    return { clockFit: windowless, windowOpen: windowless };
  }
  const known = time.hiMs !== null || time.probableMs !== null;
  return {
    clockFit: known || account.content?.windowless === true,
    windowOpen: openness.kind === "open" && openness.leftMs >= neededMs(account),
  };
}

/**
 * How long what is left of a rotation may take until it is verified, milliseconds: each exchange at its limit, and the time in which a
 * change of unknown fate may still take effect.
 */
export function neededMs({ device, record }: Pick<Account, "device" | "record">): number {
  const model = device?.model ?? null;
  if (model === null) return 0;
  return rotationBudgetMs(
    { model, timeoutMs: exchangeTimeoutMs },
    isResting(record.state) ? exchangesOfAll : exchangesFromPush,
  );
}
