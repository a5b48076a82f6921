import { type Account, nameOf } from "./account.ts";
import type { EngineOptions } from "./engine-options.ts";
import type { AccountRecord } from "./record.ts";

/** Tells of a step that was taken: of `others` too, as what their group waits for may have changed. */
export function announce(
  account: Account,
  before: AccountRecord,
  others: readonly Account[],
  { log, onServed }: Pick<EngineOptions, "log" | "onServed">,
): void {
  if (account.content === null) return;
  const { phase: state } = account.record.state;
  if (before.state.phase !== state) log.info("rotation.moved", { account: nameOf(account), state });
  for (const { content } of [account, ...others]) if (content) onServed(content.path);
}
