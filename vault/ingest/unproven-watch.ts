import type { Log } from "../../agent/log/index.ts";
import type { Timers } from "../../agent/seams/index.ts";
import { TidegateError } from "../../protocol/base/index.ts";
import type { VaultCore } from "../streams/index.ts";
import { raiseAlarm } from "./alarms.ts";
import { unprovenAfterMs, unprovenAtOnce, unprovenEveryMs } from "./limits.ts";

/** Raises INGEST_UNPROVEN once for each current value that was set long ago and that no login has proven since. Returns how many. */
export async function raiseUnproven(core: VaultCore): Promise<number> {
  return core.store.transaction(async (tx) => {
    const rows = await tx
      .selectFrom("credentials")
      .innerJoin("accounts", "accounts.account_id", "credentials.account_id")
      .select("accounts.path")
      .where("credentials.status", "=", "acknowledged")
      .where("credentials.proven_at", "is", null)
      .where("credentials.created_at", "<=", core.clock.wallMs() - unprovenAfterMs)
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom("alarms")
              .select("alarms.alarm_id")
              .whereRef("alarms.subject", "=", "accounts.path")
              .whereRef("alarms.at", ">=", "credentials.created_at")
              .where("alarms.code", "=", "INGEST_UNPROVEN"),
          ),
        ),
      )
      .orderBy("accounts.path")
      .limit(unprovenAtOnce)
      .execute();
    for (const { path } of rows) await raiseAlarm(core, tx, { node: null, code: "INGEST_UNPROVEN", subject: path });
    return rows.length;
  });
}

/** Looks for values without proof every hour, and again at once while one look did not raise them all. */
export class UnprovenWatch {
  readonly #options: { readonly core: VaultCore; readonly timers: Timers; readonly log: Log };
  #cancel: () => void = () => {};
  #look: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: { readonly core: VaultCore; readonly timers: Timers; readonly log: Log }) {
    this.#options = options;
    this.#later(0);
  }

  /** Idempotent. */
  close(): Promise<void> {
    this.#closed = true;
    this.#cancel();
    return this.#look;
  }

  #later(delayMs: number): void {
    if (this.#closed) return;
    this.#cancel = this.#options.timers.after(delayMs, () => {
      this.#look = this.#raise();
    });
  }

  async #raise(): Promise<void> {
    const { core, log } = this.#options;
    try {
      const raised = await raiseUnproven(core);
      if (raised > 0) log.warn("alarm.raised", { code: "INGEST_UNPROVEN", count: raised });
      this.#later(raised === unprovenAtOnce ? 0 : unprovenEveryMs);
    } catch (error) {
      if (!(error instanceof TidegateError)) throw error;
      log.error("alarm.unread", { error });
      this.#later(unprovenEveryMs);
    }
  }
}
