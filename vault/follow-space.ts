import type { Log } from "../agent/log/index.ts";
import type { SpaceStanding, SpaceWatch } from "../agent/space/index.ts";
import { TidegateError } from "../protocol/base/index.ts";
import { nodeIdText } from "../protocol/keys/index.ts";
import type { VaultAuditLog } from "./audit/index.ts";
import { raiseAlarm } from "./ingest/index.ts";
import type { VaultTransaction } from "./store/index.ts";
import type { VaultCore } from "./streams/index.ts";

export interface VaultSpaceFollower {
  readonly space: SpaceWatch;
  readonly core: VaultCore;
  readonly audit: Pick<VaultAuditLog, "space">;
  readonly log: Log;
}

/** What a person is told as the disk fills, and what about. */
const codes = { low: "AUDIT_SPACE_LOW", short: "AUDIT_SPACE_SHORT" } as const;
const subject = "the disk of the vault's data folder";

/** From now on the vault's log and its operator are told how the disk stands, one after the other; returns what waits for the last one. */
export function followVaultSpace(follower: VaultSpaceFollower): () => Promise<void> {
  let telling: Promise<void> = Promise.resolve();
  follower.space.start((standing) => {
    telling = telling
      .then(() => tell(follower, standing))
      .catch((error: unknown) => {
        // The store has stopped, which status tells already.
        if (!(error instanceof TidegateError)) throw error;
        follower.log.error("space.unlogged", { error });
      });
  });
  return () => telling;
}

async function tell(follower: VaultSpaceFollower, standing: SpaceStanding): Promise<void> {
  const { audit, core } = follower;
  if (standing === "short") return audit.space.begin((tx) => raise(follower, tx, codes.short));
  const after = async (tx: VaultTransaction) => {
    await clear(follower, tx, codes.short);
    if (standing === "low") await raise(follower, tx, codes.low);
    else await clear(follower, tx, codes.low);
  };
  // Also where an earlier run left the log short.
  if (audit.space.short) return audit.space.end(after);
  await core.store.transaction(after);
}

async function raise({ core, log }: VaultSpaceFollower, tx: VaultTransaction, code: string): Promise<void> {
  await raiseAlarm(core, tx, { node: null, code, subject });
  log.error("alarm.raised", { code, reason: subject });
}

/** Ends an alarm where it stands, perhaps since an earlier run. */
async function clear({ core, log }: VaultSpaceFollower, tx: VaultTransaction, code: string): Promise<void> {
  const ended = await tx
    .updateTable("alarms")
    .set({ resolved_at: core.clock.wallMs() })
    .where("node_id", "is", null)
    .where("code", "=", code)
    .where("subject", "=", subject)
    .where("resolved_at", "is", null)
    .returning("alarm_id")
    .execute();
  if (ended.length === 0) return;
  const self = { kind: "node", id: nodeIdText(core.keys.identity.nodeId) } as const;
  await core.log.append(tx, { action: "alarm.clear", actor: self, subject: self, outcome: "ok", details: { reason: code } });
  log.info("alarm.cleared", { code });
}
