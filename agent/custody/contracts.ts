import type { AuditEvent } from "../../protocol/audit/index.ts";
import type { StreamHead } from "../../protocol/bundle/index.ts";
import type { SigningKey } from "../../protocol/keys/index.ts";
import type { MediaFile, MediaKind } from "../../protocol/media/index.ts";
import type { TrustState } from "../../protocol/trust/index.ts";

/** A value now (a synchronous store) or later (the vault's). */
type Awaitable<T> = T | Promise<T>;

/** An item that waits to be carried. */
export interface PostItem {
  readonly kind: MediaKind;
  readonly id: Uint8Array;
  readonly recipient: Uint8Array;
  /** Its carrier; null where it need not be carried any more. */
  load(): Awaitable<Uint8Array | null>;
}

/** An item that a medium brought. */
export interface IncomingItem {
  readonly kind: MediaKind;
  readonly id: Uint8Array;
  readonly recipient: Uint8Array;
  readonly carrier: Uint8Array;
  /** The node whose folder it lay in. */
  readonly writer: Uint8Array;
}

/** A file on a medium, with what its signed header says; null for what has no place in a stream. */
export interface SeenFile extends Pick<MediaFile, "kind" | "id" | "recipient"> {
  readonly place: Omit<StreamHead, "id"> | null;
  /** Key id of who signed it. */
  readonly signer: Uint8Array | null;
}

/** What became of an item that a medium brought. */
export interface Taken {
  readonly outcome: "applied" | "known" | "held" | "refused";
  /** Why it was refused, else null. */
  readonly code: string | null;
}

/** A node's side of the media that people carry: what it has to send, and what it does with what arrives. */
export interface Post {
  readonly nodeId: Uint8Array;
  readonly vaultId: Uint8Array;
  /** The identity key of this moment: a node may get another. */
  signing(): SigningKey;
  /** The node's time, seconds. */
  time(): { readonly lo: number; readonly hi: number | null };
  /** What a reader may need to judge our manifest and follow our roots: at most 64. */
  statements(): Awaitable<readonly Uint8Array[]>;
  trust(): Awaitable<TrustState>;
  /** Applies statements that stand beside a manifest, durably; the vault learns from nobody. */
  learn(statements: readonly Uint8Array[]): Awaitable<void>;
  /** Everything that its recipient has not acknowledged, oldest first; what is due is sealed before. */
  outgoing(): Awaitable<readonly PostItem[]>;
  /** True where the item is for this node, or for one that it carries for. */
  wants(file: Pick<MediaFile, "kind" | "recipient">, writer: Uint8Array): Awaitable<boolean>;
  /** Judges an item and does what follows from it, durably. Throws what the item is refused with, and STORE_*. */
  take(item: IncomingItem): Awaitable<Taken>;
  /** How far the stream came here that such an item belongs to; null where nothing of it was taken, or it has no order. */
  reached(file: SeenFile): Awaitable<StreamHead | null>;
  append(event: AuditEvent): Awaitable<void>;
}
