import type { Account, OpenOrder } from "./account.ts";
import { pinnedIdentity } from "./device-work.ts";
import type { EngineOptions } from "./engine-options.ts";
import type { Surroundings } from "./inputs.ts";
import { opennessOf } from "./openness.ts";

interface Around {
  readonly options: EngineOptions;
  readonly neighbours: readonly Account[];
  readonly groupReady: boolean;
}

/** What an account's inputs depend on besides itself, as it is now. */
export function surroundingsOf(
  account: Account,
  order: OpenOrder | null,
  { options, neighbours, groupReady }: Around,
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
    neighbours,
    groupReady,
    spaceReserved: store.stopped === null && spaceLeft(),
    escrowed: options.escrowed(),
    identityPinned: device !== null && store.read((view) => pinnedIdentity(device.id, view)) !== null,
  };
}
