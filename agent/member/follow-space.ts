import type { AuditEvent } from "../../protocol/audit/index.ts";
import { TidegateError, utf8 } from "../../protocol/base/index.ts";
import { encodeFact } from "../../protocol/content/index.ts";
import { nodeIdText } from "../../protocol/keys/index.ts";
import type { AuditLog } from "../audit/index.ts";
import type { HealthCheck } from "../local-api/index.ts";
import type { Log } from "../log/index.ts";
import type { Metrics } from "../metrics/index.ts";
import type { JoinedNode } from "../node/index.ts";
import type { SpaceStanding, SpaceWatch } from "../space/index.ts";
import type { Store, Transaction } from "../store/index.ts";

export interface SpaceFollower {
  readonly space: SpaceWatch;
  readonly node: JoinedNode;
  readonly audit: AuditLog;
  readonly store: Store;
  readonly log: Log;
}

/** What a person is told as the disk fills, and what about. */
const codes = { low: "AUDIT_SPACE_LOW", short: "AUDIT_SPACE_SHORT" } as const;
const subject = "the disk of the data folder";

/** Of alarms that stand, by their code, perhaps since an earlier run. */
const table = "space-alarm";

/** From now on the log, the vault and the operator are told how the disk stands, and the log leaves out what can wait while it is short. */
export function followSpace(follower: SpaceFollower): void {
  follower.space.start((standing) => {
    try {
      tell(follower, standing);
    } catch (error) {
      // The store has stopped, which health tells already.
      if (!(error instanceof TidegateError)) throw error;
      follower.log.error("space.unlogged", { error });
    }
  });
}

function tell(follower: SpaceFollower, standing: SpaceStanding): void {
  const { audit, store } = follower;
  if (standing === "short") return audit.space.begin((tx) => raise(follower, tx, codes.short));
  const after = (tx: Transaction) => {
    clear(follower, tx, codes.short);
    if (standing === "low") raise(follower, tx, codes.low);
    else clear(follower, tx, codes.low);
  };
  // Also where an earlier run left the log short.
  if (audit.space.short) audit.space.end(after);
  else store.transaction(after);
}

/** One that stands already is not told again. */
function raise({ node, audit, log, space }: SpaceFollower, tx: Transaction, code: string): void {
  if (tx.get(table, utf8(code)) !== null) return;
  tx.put(table, utf8(code), new Uint8Array());
  const { freeBytes, usedPart } = space.facts;
  const reason = `${Math.floor(freeBytes / 1_048_576)} MiB free, ${Math.floor(usedPart * 100)} % in use`;
  audit.append(tx, { ...alarm(node), action: "alarm.raise", outcome: "failed", code, details: { reason } });
  node.queueReport(tx, [encodeFact({ kind: "alarm", code, subject, at: node.time() })]);
  log.error("alarm.raised", { code, reason });
}

function clear({ node, audit, log }: SpaceFollower, tx: Transaction, code: string): void {
  if (!tx.delete(table, utf8(code))) return;
  audit.append(tx, { ...alarm(node), action: "alarm.clear", outcome: "ok", details: { reason: code } });
  node.queueReport(tx, [encodeFact({ kind: "alarm-end", code, subject, at: node.time() })]);
  log.info("alarm.cleared", { code });
}

function alarm(node: JoinedNode): Pick<AuditEvent, "actor" | "subject"> {
  const self = { kind: "node", id: nodeIdText(node.nodeId) } as const;
  return { actor: self, subject: self };
}

/** The disk and the log on it. */
export function gaugeSpace(metrics: Metrics, space: Pick<SpaceWatch, "facts">, dropped: () => number): void {
  metrics.gauge("disk_free_bytes", "Free space on the disk of the data folder.", () => space.facts.freeBytes);
  metrics.gauge("disk_used_ratio", "Part of the disk of the data folder that is in use; a warning from 0.8 on.", () => {
    return space.facts.usedPart;
  });
  metrics.gauge("audit_reserve_bytes", "Room that the node keeps for entries that must be written.", () => {
    return space.facts.reserveBytes;
  });
  metrics.gauge("audit_space_short", "1 while only entries that must be written are.", () =>
    space.facts.standing === "short" ? 1 : 0,
  );
  metrics.gauge("audit_events_dropped", "Entries that were left out and that no gap entry stands for yet.", dropped);
}

/** Red while only what must be written is. */
export function spaceCheck({ facts }: Pick<SpaceWatch, "facts">): HealthCheck {
  const detail = `${Math.floor(facts.freeBytes / 1_048_576)} MiB free, ${Math.floor(facts.usedPart * 100)} % in use`;
  return { name: "space", ok: facts.standing !== "short", detail };
}
