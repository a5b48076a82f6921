import type { Account, OpenOrder } from "./account.ts";
import type { Devices } from "./devices.ts";
import type { EngineOptions } from "./engine-options.ts";
import type { Surroundings } from "./inputs.ts";
import { opennessOf } from "./openness.ts";

interface Around {
  readonly options: EngineOptions;
  readonly devices: Devices;
  readonly groupReady: boolean;
}

/** What an account's inputs depend on besides itself, as it is now. */
export function surroundingsOf(
  account: Account,
  order: OpenOrder | null,
  { options, devices, groupReady }: Around,
): Surroundings {
  const { seams, store, spaceLeft, site } = options;
  const { device } = account;
  const interval = options.interval();
  return {
    clock: seams.clock,
    interval,
    openness: opennessOf(account, interval, order),
    heldHere: device !== null && site.heldFor(device) !== null,
    permitted: site.permitted(),
    neighbours: devices.neighbours(account),
    groupReady,
    spaceReserved: store.stopped === null && spaceLeft(),
    escrowed: options.escrowed(),
    identityPinned: device !== null && devices.pinned(device) !== null,
  };
}
