import { type Random, sameBytes, toHex } from "../../protocol/base/index.ts";
import type { VaultTransaction } from "../store/index.ts";
import { issueShare, leastIssueMs, longestPutOffMs } from "./limits.ts";

/** What was put off for one node. */
interface PutOff {
  /** Stands in the node's stream row while it is not issued: whoever finds another one there knows nothing about it. */
  readonly token: Uint8Array;
  /** Ids of the accounts that changed, by hexadecimal id; null where any may have. */
  readonly accounts: Map<string, Uint8Array> | null;
}

/**
 * Says when a change that may wait is issued to a node. Issuing looks at all that the node holds, so that a plant of thousands of accounts
 * that is registered one by one would spend nearly all its time on it: a node that takes long to issue to gets the next changes
 * together. That something waits stands in the store, in the changing transaction; what it is about only here, and where a process
 * does not know it, anything may have changed.
 */
export class ExportPace {
  readonly #random: Random;
  readonly #notBeforeMs = new Map<string, number>();
  readonly #putOff = new Map<string, PutOff>();
  #told: (() => void) | null = null;

  constructor(random: Random) {
    this.#random = random;
  }

  /** From now on changes may wait; `told` is called when one does, before its transaction ends. */
  watch(told: (() => void) | null): void {
    this.#told = told;
  }

  /** Milliseconds until a change that may wait is issued; 0 for at once. */
  leftMs(nodeId: Uint8Array, nowMs: number): number {
    if (this.#told === null) return 0;
    return Math.max(0, (this.#notBeforeMs.get(toHex(nodeId)) ?? 0) - nowMs);
  }

  /** Notes how long it took to issue, or to find that nothing was to be issued. */
  took(nodeId: Uint8Array, { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): void {
    const key = toHex(nodeId);
    if (toMs - fromMs < leastIssueMs) this.#notBeforeMs.delete(key);
    else this.#notBeforeMs.set(key, toMs + Math.min(longestPutOffMs, (toMs - fromMs) / issueShare));
  }

  /** Notes in the caller's transaction that the change of these accounts waits; null for any account. */
  async putOff(tx: VaultTransaction, nodeId: Uint8Array, accounts: readonly Uint8Array[] | null): Promise<void> {
    const row = await tx.selectFrom("streams").select("put_off").where("node_id", "=", nodeId).executeTakeFirstOrThrow();
    const known = this.#known(nodeId, row.put_off);
    if (known === null) {
      const token = this.#random(16);
      // Another process put something off before: nobody here knows what.
      const about = row.put_off === null && accounts !== null ? byId(accounts) : null;
      this.#putOff.set(toHex(nodeId), { token, accounts: about });
      await tx.updateTable("streams").set({ put_off: token }).where("node_id", "=", nodeId).execute();
    } else if (accounts === null) {
      this.#putOff.set(toHex(nodeId), { token: known.token, accounts: null });
    } else {
      for (const id of accounts) known.accounts?.set(toHex(id), id);
    }
    this.#told?.();
  }

  /** Takes up what waits under `token` besides `accounts`, in the transaction that issues it: the accounts of both; null for any. */
  async takeUp(
    tx: VaultTransaction,
    nodeId: Uint8Array,
    { token, accounts }: { readonly token: Uint8Array | null; readonly accounts: readonly Uint8Array[] | null },
  ): Promise<readonly Uint8Array[] | null> {
    if (token === null) return accounts;
    await tx.updateTable("streams").set({ put_off: null }).where("node_id", "=", nodeId).execute();
    // Kept here, for the transaction may be taken back.
    const waits = this.#known(nodeId, token)?.accounts ?? null;
    return waits === null || accounts === null ? null : [...waits.values(), ...accounts];
  }

  #known(nodeId: Uint8Array, token: Uint8Array | null): PutOff | null {
    const known = this.#putOff.get(toHex(nodeId));
    return token !== null && known !== undefined && sameBytes(known.token, token) ? known : null;
  }
}

function byId(ids: readonly Uint8Array[]): Map<string, Uint8Array> {
  return new Map(ids.map((id) => [toHex(id), id]));
}
