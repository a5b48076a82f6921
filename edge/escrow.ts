import { everyRow } from "../agent/node/index.ts";
import type { Store, Transaction, View } from "../agent/store/index.ts";
import { asTuple, asUint, decodeTcbor, encodeTcbor, sameBytes, utf8 } from "../protocol/base/index.ts";
import { importSealingPublicKey } from "../protocol/keys/index.ts";
import { type EscrowedAccount, encodeEscrowList } from "../protocol/rotation/index.ts";
import { sealEscrow } from "../protocol/seal/index.ts";
import { newestRoot, type TrustState, vaultIdOf } from "../protocol/trust/index.ts";
import { allDue, dueAccounts, escrowedAccount, tables } from "./rotation/index.ts";

const markTable = "escrow-mark";
/** The epoch whose candidates the vault has acknowledged, and the one that reports since then were sealed in. */
const markRow = utf8("epoch");
const sentEpochRow = utf8("sent epoch");
/** What stored reports carried: the due row of each account, by its id. */
const sentTable = "escrow-sent";

/**
 * Candidates that the vault may not know as live: sealed to the recovery key that the root names, in every report until the vault
 * has acknowledged one that held them. After a restored vault (a higher epoch) that is all of them.
 */
export class EscrowBook {
  readonly #store: Store;

  constructor(store: Store, epoch: number) {
    this.#store = store;
    if (store.read(readMark) === null) store.transaction((tx) => putEpoch(tx, markRow, epoch));
  }

  /**
   * The blob for the report with this context, or null where the vault knows everything. What it carries is noted in `tx`, which stores
   * the report too: a report that is not stored carried nothing.
   */
  seal(
    tx: Transaction,
    reportContext: Uint8Array,
    node: { readonly nodeId: Uint8Array; readonly trust: TrustState },
  ): Uint8Array | null {
    const root = newestRoot(node.trust);
    const all = root.document.vaultEpoch > (readMark(tx) ?? 0);
    const due = all ? allDue(tx) : dueAccounts(tx);
    if (all) putEpoch(tx, sentEpochRow, root.document.vaultEpoch);
    // After a restore the vault waits for a word from every edge, also from one that has nothing to tell: its accounts rest in memory only, or none was adopted.
    if (due.length === 0 && !all) return null;
    for (const { id, row } of due) tx.put(sentTable, id, row);
    const accounts: EscrowedAccount[] = due.map(({ id }) => escrowedAccount(tx, id));
    const plaintext = encodeEscrowList(accounts);
    try {
      return sealEscrow({
        vaultId: vaultIdOf(node.trust),
        nodeId: node.nodeId,
        reportContext,
        recipient: importSealingPublicKey(root.document.recoveryKey),
        plaintext,
      });
    } finally {
      plaintext.fill(0);
      for (const { values } of accounts) for (const { fields } of values) for (const { value } of fields) value.fill(0);
    }
  }

  /** True where the vault knows of every candidate: false from a higher epoch on until the escrow is acknowledged. */
  settled(trust: TrustState): boolean {
    return newestRoot(trust).document.vaultEpoch <= (this.#store.read(readMark) ?? 0);
  }

  /** Every report so far is acknowledged: what they carried is not due any more, unless it changed since. */
  acknowledged(): void {
    if (this.#store.read((view) => view.count(sentTable) === 0 && readMark(view, sentEpochRow) === null)) return;
    this.#store.transaction((tx) => {
      for (const { id, value } of [...everyRow(tx, sentTable)]) {
        const now = tx.get(tables.escrow, id);
        if (now !== null && sameBytes(now, value)) tx.delete(tables.escrow, id);
        tx.delete(sentTable, id);
      }
      const epoch = readMark(tx, sentEpochRow);
      if (epoch !== null && (readMark(tx) ?? 0) < epoch) putEpoch(tx, markRow, epoch);
      tx.delete(markTable, sentEpochRow);
    });
  }
}

function putEpoch(tx: Transaction, name: Uint8Array, epoch: number): void {
  tx.put(markTable, name, encodeTcbor([epoch]));
}

function readMark(view: View, name: Uint8Array = markRow): number | null {
  const row = view.get(markTable, name);
  if (row === null) return null;
  const [epoch] = asTuple(decodeTcbor(row), "escrow mark", 1);
  return asUint(epoch, "escrow mark");
}
