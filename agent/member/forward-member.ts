import type { AuditLog } from "../audit/index.ts";
import type { Closing } from "../closing/index.ts";
import type { MemberConfig } from "../config/index.ts";
import type { ForwardStatus } from "../forward/index.ts";
import type { Log } from "../log/index.ts";
import type { Metrics } from "../metrics/index.ts";
import type { JoinedNode } from "../node/index.ts";
import type { Seams } from "../seams/index.ts";
import type { Store } from "../store/index.ts";

export interface ForwardMemberOptions {
  readonly targets: MemberConfig["forward"];
  readonly role: "gateway" | "edge";
  readonly version: string;
  readonly node: JoinedNode;
  readonly audit: AuditLog;
  readonly store: Store;
  readonly metrics: Metrics;
  readonly seams: Seams;
  readonly log: Log;
  /** Takes what ends it. */
  readonly closing: Closing;
}

/** Begins to forward a node's log to the collectors of its configuration; what does so is loaded only where there are any. */
export async function forwardMember(options: ForwardMemberOptions): Promise<() => readonly ForwardStatus[]> {
  const { targets, role, version, node, audit, store, metrics, seams, log, closing } = options;
  if (targets.length === 0) return () => [];
  const { gaugeForwarders, nodeFeed, openForwarders } = await import("../forward/index.ts");
  const { name } = node.member().statement;
  const feed = nodeFeed(store, audit);
  const forwarders = openForwarders({ targets, feed, speaker: { name, role, version }, seams, log });
  for (const each of forwarders) closing.push(() => each.close());
  const status = () => forwarders.map((each) => each.status());
  gaugeForwarders(metrics, status);
  return status;
}
