import {
  asBytes,
  asTuple,
  asUint,
  decodeTcbor,
  decodeTcborPrefix,
  encodeTcbor,
  type Tcbor,
  TcborError,
} from "../base/index.ts";
import { CourierError } from "./errors.ts";
import type { ItemKey, ItemOutcome } from "./item.ts";

/** A slice of an item. */
export interface ItemPart extends ItemKey {
  readonly offset: number;
  readonly total: number;
  /** A view where it was decoded. */
  readonly bytes: Uint8Array;
}

const outcomes: readonly ItemOutcome[] = ["stored", "refused", "too-large", "full"];

/** `[mailbox, id, offset, total]`, followed by the part's bytes, which are not copied here. */
export function encodePartHead(part: Omit<ItemPart, "bytes">): Uint8Array {
  return encodeTcbor([part.mailbox, part.id, part.offset, part.total]);
}

/** Throws COURIER_MALFORMED; an empty part, or one that ends behind its item, is malformed too. */
export function decodePart(payload: Uint8Array): ItemPart {
  return reading(() => {
    const { value, length } = decodeTcborPrefix(payload);
    const [mailbox, id, offset, total] = asTuple(value, "part", 4);
    const bytes = payload.subarray(length);
    const part = {
      ...keyOf(mailbox, id),
      offset: asUint(offset, "part.offset"),
      total: asUint(total, "part.total"),
      bytes,
    };
    if (bytes.length === 0) throw new CourierError("COURIER_MALFORMED", "empty part");
    if (part.offset + bytes.length > part.total) throw new CourierError("COURIER_MALFORMED", "part ends behind its item");
    return part;
  });
}

/** `[mailbox, id, outcome]`. */
export function encodeHopAck(key: ItemKey, outcome: ItemOutcome): Uint8Array {
  return encodeTcbor([key.mailbox, key.id, outcomes.indexOf(outcome)]);
}

/** Throws COURIER_MALFORMED. */
export function decodeHopAck(payload: Uint8Array): { key: ItemKey; outcome: ItemOutcome } {
  return reading(() => {
    const [mailbox, id, number] = asTuple(decodeTcbor(payload), "ack", 3);
    const outcome = outcomes[asUint(number, "ack.outcome", outcomes.length - 1)] ?? "refused";
    return { key: keyOf(mailbox, id), outcome };
  });
}

/** Bytes of part payloads that the peer may have sent since the session began. */
export function encodeCredit(total: number): Uint8Array {
  return encodeTcbor(total);
}

/** Throws COURIER_MALFORMED. */
export function decodeCredit(payload: Uint8Array): number {
  return reading(() => asUint(decodeTcbor(payload), "credit"));
}

function keyOf(mailbox: Tcbor | undefined, id: Tcbor | undefined): ItemKey {
  return { mailbox: asBytes(mailbox, "mailbox", 20), id: asBytes(id, "id", 32) };
}

function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof TcborError) throw new CourierError("COURIER_MALFORMED", cause.message, cause);
    throw cause;
  }
}
