import type { Store, Transaction } from "../../agent/store/index.ts";
import type { OutgoingRequest } from "../../agent/tunnel/index.ts";
import { asBytes, asBytesUpTo, asTuple, decodeTcbor, encodeTcbor, sameBytes, toHex } from "../../protocol/base/index.ts";
import { compareIndex, indexFromTcbor, indexToTcbor } from "../../protocol/bundle/index.ts";
import type { CourierItem, ItemKey, ItemOutcome } from "../../protocol/courier/index.ts";
import { decodeEnvelope, encodeCarrier, maxEnvelopeBytes } from "../../protocol/envelope/index.ts";
import type { SigningKey } from "../../protocol/keys/index.ts";
import { type Notice, signNotice } from "../../protocol/notice/index.ts";

/** What an edge tells of an account: the rest of a notice is about the edge itself. */
export type AccountNotice = Pick<Notice, "accountId" | "index" | "state" | "leaf">;

/** The edge that speaks. */
interface Speaker {
  readonly nodeId: Uint8Array;
  readonly vaultId: Uint8Array;
  readonly signing: SigningKey;
}

const lastTable = "notice";
const dueTable = "notice-due";

/**
 * The edge's word to its gateway about which value is live: written in the transaction of the change, one an account, the newest. It lies
 * here until the gateway has it; what the gateway does not get by us it gets from the vault later.
 */
export class NoticeBook {
  readonly #store: Store;
  readonly #speaker: () => Speaker;
  readonly #listeners = new Set<() => void>();
  /** Accounts of the notices that were handed to a tunnel, by hexadecimal envelope id. */
  readonly #offered = new Map<string, Uint8Array>();
  #fresh = false;

  constructor(store: Store, speaker: () => Speaker) {
    this.#store = store;
    this.#speaker = speaker;
  }

  /** Part of an arrow's transaction. A proof that says nothing new is not told. */
  note(tx: Transaction, notice: AccountNotice): void {
    const { accountId, index, state } = notice;
    const settles = state !== "sent";
    const last = tx.get(lastTable, accountId);
    const told = last === null ? null : asTuple(decodeTcbor(last), "notice", 2);
    const same = told !== null && compareIndex(indexFromTcbor(told[0], "notice.index"), index) === 0 && told[1] === settles;
    // Without a word of ours the gateway serves what the vault calls current.
    if (same || (told === null && state === "verified")) return;
    const { nodeId, vaultId, signing } = this.#speaker();
    const envelope = signNotice({ vaultId, nodeId, ...notice }, signing);
    tx.put(lastTable, accountId, encodeTcbor([indexToTcbor(index), settles]));
    tx.put(dueTable, accountId, encodeTcbor([decodeEnvelope(envelope).id, envelope]));
    this.#fresh = true;
  }

  /** After the commit: wakes who carries notices, where there is one. */
  flush(): void {
    if (!this.#fresh) return;
    this.#fresh = false;
    for (const listener of this.#listeners) listener();
  }

  /** Called when a notice is ready to be sent. Returns how to stop. */
  onDue(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Notices for the gateway of this mailbox, as many as the request takes. */
  items(mailbox: Uint8Array, request: OutgoingRequest): CourierItem[] {
    // What is on its way already must not hide what follows.
    const limit = request.items + this.#offered.size;
    const items: CourierItem[] = [];
    for (const row of this.#store.read((view) => view.scan(dueTable, { limit }))) {
      const item = itemOf(mailbox, decodeDue(row.value));
      if (items.length === request.items || !request.wants(item)) continue;
      this.#offered.set(toHex(item.id), row.id);
      items.push(item);
    }
    return items;
  }

  /** Every notice that the gateway is not known to have, for a medium: who carries it cannot say that it arrived. */
  all(mailbox: Uint8Array, limit: number): CourierItem[] {
    return this.#store.read((view) => view.scan(dueTable, { limit })).map(({ value }) => itemOf(mailbox, decodeDue(value)));
  }

  /** The gateway has it, or will never take it. False where the item is no notice of ours. */
  settled(item: ItemKey, outcome: ItemOutcome): boolean {
    const accountId = this.#offered.get(toHex(item.id));
    if (accountId === undefined) return false;
    this.#offered.delete(toHex(item.id));
    const row = this.#store.read((view) => view.get(dueTable, accountId));
    // A newer notice of the account may have taken its place.
    if (outcome !== "full" && row !== null && sameBytes(decodeDue(row).id, item.id))
      this.#store.transaction((tx) => tx.delete(dueTable, accountId));
    return true;
  }
}

/** The gateway has our member statement since the handshake, or from beside the manifest. */
function itemOf(mailbox: Uint8Array, { id, envelope }: ReturnType<typeof decodeDue>): CourierItem {
  return { mailbox, id, carrier: encodeCarrier({ statements: [], envelope, body: new Uint8Array(0) }) };
}

function decodeDue(row: Uint8Array): { readonly id: Uint8Array; readonly envelope: Uint8Array } {
  const [id, envelope] = asTuple(decodeTcbor(row), "notice", 2);
  return { id: asBytes(id, "notice.id", 32), envelope: asBytesUpTo(envelope, "notice.envelope", maxEnvelopeBytes) };
}
