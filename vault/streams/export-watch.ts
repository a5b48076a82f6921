import type { Log } from "../../agent/log/index.ts";
import type { Timers } from "../../agent/seams/index.ts";
import { TidegateError } from "../../protocol/base/index.ts";
import type { NodeRow } from "../store/index.ts";
import { issueBundle } from "./issue-bundle.ts";
import { putOffRetryMs } from "./limits.ts";
import type { VaultCore } from "./vault-core.ts";

interface ExportWatchOptions {
  readonly core: VaultCore;
  readonly timers: Timers;
  readonly log: Log;
  wake(nodeIds: readonly Uint8Array[]): void;
}

/** Issues what was put off, also by a process that is gone. */
export class ExportWatch {
  readonly #options: ExportWatchOptions;
  #cancel: (() => void) | null = null;
  #issuing: Promise<void> = Promise.resolve();
  /** Something was put off since the look under way began. */
  #again = false;
  #closed = false;

  constructor(options: ExportWatchOptions) {
    this.#options = options;
    options.core.pace.watch(() => {
      this.#again = true;
      this.#later(0);
    });
    this.#later(0);
  }

  /** Waits for what is being issued; what still waits is issued at the next start. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#options.core.pace.watch(null);
    this.#cancel?.();
    await this.#issuing;
  }

  #later(delayMs: number): void {
    if (this.#closed || this.#cancel !== null) return;
    this.#cancel = this.#options.timers.after(delayMs, () => {
      this.#again = false;
      this.#issuing = this.#issue().then((nextMs) => {
        this.#cancel = null;
        if (this.#again || nextMs !== null) this.#later(nextMs ?? 0);
      });
    });
  }

  /** Milliseconds until the next look; null where nothing waits that time alone would bring. */
  async #issue(): Promise<number | null> {
    const { core, log, wake } = this.#options;
    try {
      const nodes = await waitingNodes(core);
      let nextMs: number | null = null;
      for (const node of nodes) {
        const leftMs = core.pace.leftMs(node.node_id, core.clock.sinceBootMs());
        if (leftMs > 0) nextMs = Math.min(nextMs ?? leftMs, leftMs);
        else if (await issueTo(core, node.node_id)) wake([node.node_id]);
      }
      return nextMs;
    } catch (error) {
      if (!(error instanceof TidegateError)) throw error;
      log.warn("export.failed", { error });
      return putOffRetryMs;
    }
  }
}

/** A node that is held, or whose escrow is awaited, takes it up with whatever it is issued next. */
function waitingNodes({ store }: VaultCore): Promise<NodeRow[]> {
  return store.read((tx) =>
    tx
      .selectFrom("nodes")
      .selectAll("nodes")
      .innerJoin("streams", "streams.node_id", "nodes.node_id")
      .where("nodes.state", "=", "active")
      .where("streams.put_off", "is not", null)
      .execute(),
  );
}

function issueTo(core: VaultCore, nodeId: Uint8Array): Promise<boolean> {
  return core.store.transaction(async (tx) => {
    const node = await tx.selectFrom("nodes").selectAll().where("node_id", "=", nodeId).executeTakeFirstOrThrow();
    return (await issueBundle(core, tx, node, { accounts: [] })) !== null;
  });
}
