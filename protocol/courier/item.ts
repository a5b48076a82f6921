/** One carrier on its way to a mailbox. */
export interface CourierItem {
  /** Recipient's node id, 20 bytes; the vault's mailbox is the first 20 bytes of the vault id. */
  readonly mailbox: Uint8Array;
  /** Id of the carrier's envelope, 32 bytes. */
  readonly id: Uint8Array;
  /** The encoded carrier. */
  readonly carrier: Uint8Array;
}

/** Names an item without its bytes. */
export type ItemKey = Pick<CourierItem, "mailbox" | "id">;

/**
 * What the receiver's store said. `stored`: durable, stop sending it. `refused`: it will never be kept here. `too-large`: above
 * this receiver's limit. `full`: the mailbox has no room now; offer it again later.
 */
export type ItemOutcome = "stored" | "refused" | "too-large" | "full";
