import { TidegateError } from "../../protocol/base/index.ts";
import { nodeIdText } from "../../protocol/keys/index.ts";
import type { Log } from "../log/index.ts";
import type { Timers } from "../seams/index.ts";
import { nodeLimits } from "./limits.ts";
import { type HealthParts, vaultSilentS } from "./node-health.ts";

export interface SilenceWatchOptions extends Pick<HealthParts, "node" | "audit" | "store" | "staleAfterS" | "way"> {
  readonly timers: Timers;
  readonly log: Log;
}

/** Writes a leaf, once, when the vault has been silent for longer than the configuration allows. Returns how to stop. */
export function watchSilence(options: SilenceWatchOptions): () => void {
  const { node, timers, staleAfterS, way = "both" } = options;
  let told = false;
  let cancel = () => {};
  const look = () => {
    const silentS = vaultSilentS(node, way);
    const silent = silentS !== null && silentS > staleAfterS;
    if (silent && !told) tell(options, silentS);
    told = silent;
    cancel = timers.after(nodeLimits.silenceEveryMs, look);
  };
  cancel = timers.after(nodeLimits.silenceEveryMs, look);
  return () => cancel();
}

function tell({ node, audit, store, log }: SilenceWatchOptions, silentS: number): void {
  const self = nodeIdText(node.nodeId);
  log.warn("vault.silent", { durationMs: silentS * 1000 });
  if (store.stopped !== null) return;
  try {
    store.transaction((tx) =>
      audit.append(tx, {
        action: "stream.stale",
        actor: { kind: "node", id: self },
        subject: { kind: "stream", id: self },
        outcome: "failed",
        details: { silentMs: silentS * 1000 },
      }),
    );
  } catch (error) {
    if (!(error instanceof TidegateError)) throw error;
    log.error("audit.failed", { error });
  }
}
