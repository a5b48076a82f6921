import { compareBytes, concat, toHex } from "../base/index.ts";
import { CourierError } from "./errors.ts";
import type { CourierItem, ItemKey } from "./item.ts";
import { creditStepBytes, creditWindowBytes, maxBacklogBytes, maxBacklogItems, maxDiscarded, maxItemsBegun } from "./limits.ts";
import { decodePart, type ItemPart } from "./wire.ts";

/** An item of which some parts are here. */
interface Assembly {
  readonly id: Uint8Array;
  readonly total: number;
  readonly parts: Uint8Array[];
  have: number;
}

/** What a part led to. */
export type Received =
  | { readonly kind: "more" }
  | { readonly kind: "whole"; readonly item: CourierItem }
  | { readonly kind: "too-large"; readonly key: ItemKey };

/** The receiving half: puts parts together, one item a mailbox and a few at a time, and gives credit while the store keeps up. */
export class Receiving {
  readonly #maxItemBytes: number;
  readonly #begun = new Map<string, Assembly>();
  /** Ids refused in mid-course: their parts under way are dropped. Oldest first. */
  readonly #discarded = new Set<string>();
  #received = 0;
  #granted = 0;
  #backlogBytes = 0;
  #backlogItems = 0;

  constructor(maxItemBytes: number) {
    this.#maxItemBytes = maxItemBytes;
  }

  /** Takes one part. Throws COURIER_MALFORMED, COURIER_CREDIT, COURIER_ORDER. */
  part(payload: Uint8Array): Received {
    this.#received += payload.length;
    if (this.#received > this.#granted) throw new CourierError("COURIER_CREDIT", "more sent than credit was given for");
    const part = decodePart(payload);
    const id = toHex(part.id);
    if (part.offset > 0 && this.#discarded.has(id)) return { kind: "more" };
    if (part.total > this.#maxItemBytes) return this.#discard(part, id);
    const assembly = part.offset === 0 ? this.#begin(part) : this.#going(part);
    // A copy (a Buffer's own slice would be none): the part is a view of a message, and that of a socket's buffer.
    assembly.parts.push(new Uint8Array(part.bytes));
    assembly.have += part.bytes.length;
    if (assembly.have < assembly.total) return { kind: "more" };
    this.#begun.delete(toHex(part.mailbox));
    this.#backlogBytes += assembly.total;
    this.#backlogItems += 1;
    const [first] = assembly.parts;
    const carrier = assembly.parts.length === 1 && first !== undefined ? first : concat(...assembly.parts);
    return { kind: "whole", item: { mailbox: part.mailbox, id: part.id, carrier } };
  }

  /** The store has answered for a whole item. */
  settled(item: CourierItem): void {
    this.#backlogBytes -= item.carrier.length;
    this.#backlogItems -= 1;
  }

  /** New total of credit to tell the peer; null where nothing is due, or the store is behind. */
  creditDue(): number | null {
    if (this.#backlogBytes > maxBacklogBytes || this.#backlogItems > maxBacklogItems) return null;
    const total = this.#received + creditWindowBytes;
    if (total - this.#granted < creditStepBytes) return null;
    this.#granted = total;
    return total;
  }

  #begin(part: ItemPart): Assembly {
    const mailbox = toHex(part.mailbox);
    if (this.#begun.has(mailbox)) throw new CourierError("COURIER_ORDER", "an item begun before the last was whole");
    if (part.bytes.length < part.total && this.#begun.size >= maxItemsBegun) {
      throw new CourierError("COURIER_ORDER", `more than ${maxItemsBegun} items begun`);
    }
    const assembly: Assembly = { id: part.id, total: part.total, parts: [], have: 0 };
    this.#begun.set(mailbox, assembly);
    return assembly;
  }

  #going(part: ItemPart): Assembly {
    const assembly = this.#begun.get(toHex(part.mailbox));
    const follows =
      assembly !== undefined &&
      compareBytes(assembly.id, part.id) === 0 &&
      assembly.total === part.total &&
      assembly.have === part.offset;
    if (!follows) throw new CourierError("COURIER_ORDER", "a part that does not follow the one before");
    return assembly;
  }

  #discard(part: ItemPart, id: string): Received {
    if (part.offset > 0) throw new CourierError("COURIER_ORDER", "a part that does not follow the one before");
    this.#discarded.add(id);
    if (this.#discarded.size > maxDiscarded) {
      const oldest = this.#discarded.values().next().value;
      if (oldest !== undefined) this.#discarded.delete(oldest);
    }
    return { kind: "too-large", key: { mailbox: part.mailbox, id: part.id } };
  }
}
