import type { Entry, Fact, StreamHead as BundleStreamHead } from "../../protocol/bundle/index.ts";
import type { ContentView } from "../../protocol/content/index.ts";
import type { CourierItem, ItemOutcome } from "../../protocol/courier/index.ts";
import type { MemberStatement, TrustState } from "../../protocol/trust/index.ts";
import type { StreamHead } from "../../protocol/tunnel/index.ts";
import type { NodeIdentity } from "../identity/index.ts";
import type { Transaction } from "../store/index.ts";

/** How a node stands with its vault; only NORMAL takes deltas. */
export type NodeMode = "FRESH" | "REJOINED" | "NORMAL" | "QUARANTINE";

/** The time as this node knows it: seconds since 1970, `hi` null while it is open. */
export interface NodeTime {
  readonly lo: number;
  readonly hi: number | null;
}

/** What became of a carrier that arrived for this node. */
export type ApplyResult =
  /** In one transaction: statements, entries, stream state, and whatever `onApply` wrote. */
  | { readonly outcome: "applied"; readonly seq: number }
  /** Seen before: nothing changed. */
  | { readonly outcome: "duplicate" }
  /** Ahead of a gap: kept until the gap is filled. */
  | { readonly outcome: "held" }
  /** Nothing of the bundle was applied. */
  | { readonly outcome: "refused"; readonly code: string };

/** What a bundle changed, inside its transaction. The views read the same entries as the node's state before and after. */
export interface AppliedChange {
  readonly before: ContentView;
  readonly after: ContentView;
  /** Entries new or changed; all of the state after a snapshot that changed everything. */
  readonly changed: readonly Entry[];
  /** Entries gone. */
  readonly gone: readonly Entry[];
}

/**
 * A node that has joined: what gateway and edge have in common. It keeps trust, stream state, entries, outbox, nonces and time in the
 * store, and everything it changes is one transaction.
 */
export interface JoinedNode {
  readonly nodeId: Uint8Array;
  readonly vaultId: Uint8Array;
  /** The vault's mailbox: the first 20 bytes of its id. */
  readonly vaultMailbox: Uint8Array;
  readonly identity: NodeIdentity;
  readonly mode: NodeMode;
  /** Our own statement, the newest, and its envelope. */
  member(): { readonly statement: MemberStatement; readonly envelope: Uint8Array };
  trust(): TrustState;
  /** Applies statements from a tunnel or a stick, durably. Throws TRUST_* and others. */
  learn(statements: readonly Uint8Array[]): void;
  time(): NodeTime;
  /** When the vault was last heard by a header that answers one of our nonces; milliseconds since 1970 as the vault told it, null before. */
  readonly vaultLastHeardAtMs: number | null;

  /** Judges and applies a bundle for this node. Never throws for what arrived; throws STORE_* where the disk fails. */
  applyCarrier(carrier: Uint8Array): ApplyResult;
  /** Lends the present state, read from the store: secrets in it are copies that go when `use` returns. */
  withState<T>(use: (view: ContentView) => T): T;
  /** Called after each commit that changed the entries. Returns how to stop. */
  onChanged(listener: () => void): () => void;

  /** Puts facts into the outbox inside the caller's transaction; they leave, sealed, in the next report. */
  queueReport(tx: Transaction, facts: readonly Fact[]): void;
  /** Called when something for the vault is ready to be sent. Returns how to stop. */
  onOutgoing(listener: () => void): () => void;

  /** The head of our own (downward) stream, told to peers. */
  head(): StreamHead;
  /** Sealed reports above what the peer holds, oldest first. */
  reports(limits: { readonly items: number; readonly bytes: number }): readonly CourierItem[];
  /** The acknowledged head of the upward stream, null before the first. */
  readonly acknowledged: BundleStreamHead | null;
  /** For the mailroom: applies what is addressed to us. `stored` also where it is refused for good, so that nobody sends it again. */
  accept(item: CourierItem): ItemOutcome;

  /** Facts for `status`: what waits, and what was refused last. */
  status(): NodeStatus;
  /** Idempotent. */
  close(): void;
}

export interface NodeStatus {
  readonly mode: NodeMode;
  readonly entries: number;
  readonly epoch: number;
  readonly appliedSeq: number;
  readonly heldItems: number;
  readonly unacknowledgedReports: number;
  readonly waitingFacts: number;
  readonly vaultLastHeardAtMs: number | null;
  /** Code of the last bundle that was refused since the start, null where none was. */
  readonly lastRefusal: string | null;
}
