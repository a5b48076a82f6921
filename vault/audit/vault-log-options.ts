import type { AsyncAuditStorage, AuditMirror, FullPolicy, LogContext } from "../../agent/audit/index.ts";
import type { Failpoint, Timers } from "../../agent/seams/index.ts";
import type { NoteSigner } from "../../protocol/audit/index.ts";
import type { VaultStore, VaultTransaction } from "../store/index.ts";

/** What the vault's log is opened with. */
export interface VaultLogOptions extends LogContext {
  readonly store: VaultStore;
  readonly storage: AsyncAuditStorage<VaultTransaction, VaultTransaction>;
  readonly timers: Timers;
  /** Names `audit.before-archive`, `audit.after-archive`, `audit.before-free` and `audit.after-free`. */
  readonly failpoint: Failpoint;
  /** Cosigns the heads of other nodes that were proven here. */
  readonly witness: NoteSigner["key"];
  readonly mirror: AuditMirror | null;
  /** Names this process among those on one store. */
  readonly holder: string;
  /** Told when a checkpoint could not be signed; the next one tries again unless the store has stopped. */
  readonly onFailed: (code: string) => void;
  /** What becomes of events while the disk is short; {@link defaultFullPolicy} where it is absent. */
  readonly whenFull?: FullPolicy;
}
