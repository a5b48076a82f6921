import type { Store, View } from "../agent/store/index.ts";
import { asTuple, asUint, decodeTcbor, encodeTcbor, sameBytes, toHex, utf8 } from "../protocol/base/index.ts";
import { importSealingPublicKey } from "../protocol/keys/index.ts";
import { type EscrowedAccount, encodeEscrowList } from "../protocol/rotation/index.ts";
import { sealEscrow } from "../protocol/seal/index.ts";
import { newestRoot, type TrustState, vaultIdOf } from "../protocol/trust/index.ts";
import { allDue, dueAccounts, escrowedAccount, tables } from "./rotation/index.ts";

const markTable = "escrow-mark";
const markRow = utf8("epoch");

/**
 * Candidates that the vault may not know as live: sealed to the recovery key that the root names, in every report until the vault
 * has acknowledged one that held them. After a restored vault (a higher epoch) that is all of them.
 */
export class EscrowBook {
  readonly #store: Store;
  /** What the reports since the start carried: the due rows by account, and the epoch. */
  readonly #sent = new Map<string, { readonly id: Uint8Array; readonly row: Uint8Array }>();
  #sentEpoch: number | null = null;

  constructor(store: Store, epoch: number) {
    this.#store = store;
    if (store.read(readMark) === null) store.transaction((tx) => tx.put(markTable, markRow, encodeTcbor([epoch])));
  }

  /** The blob for the report with this context, or null where the vault knows everything. */
  seal(
    view: View,
    reportContext: Uint8Array,
    node: { readonly nodeId: Uint8Array; readonly trust: TrustState },
  ): Uint8Array | null {
    const root = newestRoot(node.trust);
    const all = root.document.vaultEpoch > (readMark(view) ?? 0);
    const due = all ? allDue(view) : dueAccounts(view);
    this.#sentEpoch = root.document.vaultEpoch;
    if (due.length === 0) return null;
    for (const each of due) this.#sent.set(toHex(each.id), each);
    const accounts: EscrowedAccount[] = due.map(({ id }) => escrowedAccount(view, id));
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
    const epoch = this.#sentEpoch;
    if (epoch === null) return;
    this.#store.transaction((tx) => {
      for (const { id, row } of this.#sent.values()) {
        const now = tx.get(tables.escrow, id);
        if (now !== null && sameBytes(now, row)) tx.delete(tables.escrow, id);
      }
      if ((readMark(tx) ?? 0) < epoch) tx.put(markTable, markRow, encodeTcbor([epoch]));
    });
    this.#sent.clear();
    this.#sentEpoch = null;
  }
}

function readMark(view: View): number | null {
  const row = view.get(markTable, markRow);
  if (row === null) return null;
  const [epoch] = asTuple(decodeTcbor(row), "escrow mark", 1);
  return asUint(epoch, "escrow mark");
}
