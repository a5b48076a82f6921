import type { AuditEvent } from "../../protocol/audit/index.ts";
import type { Random } from "../../protocol/base/index.ts";
import type { ColumnSeal } from "../master-key/index.ts";
import type { VaultTransaction } from "../store/index.ts";

/** What every change of the vault's records needs besides the transaction. */
export interface RegistryContext {
  readonly seal: ColumnSeal;
  readonly random: Random;
  /** Milliseconds since 1970, the vault's own clock. */
  nowMs(): number;
  /** The newest root document's vault epoch. */
  readonly vaultEpoch: number;
  /** Appends the leaf of a change in the change's own transaction. */
  audit(tx: VaultTransaction, event: AuditEvent): Promise<void>;
}
