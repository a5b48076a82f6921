import type { AuditEvent } from "../../protocol/audit/index.ts";
import type { Entry, EntryRef, Fact, StreamHead as ItemPlace, ReceiverMode } from "../../protocol/bundle/index.ts";
import type { AccountContent, ContentView, FactTime, Held } from "../../protocol/content/index.ts";
import type { CourierItem, ItemOutcome } from "../../protocol/courier/index.ts";
import type { TimeInterval } from "../../protocol/time/index.ts";
import type { MemberStatement, TrustState } from "../../protocol/trust/index.ts";
import type { StreamHead } from "../../protocol/tunnel/index.ts";
import type { NodeIdentity } from "../identity/index.ts";
import type { Transaction, View } from "../store/index.ts";
import type { MemoryValue } from "./memory-entries.ts";

/** The time as this node knows it: seconds since 1970, `hi` null while it is open. */
export type NodeTime = FactTime;

/** What became of a carrier that arrived for this node. */
export type ApplyResult =
  /** In one transaction: statements, entries, stream state, and whatever `onApply` wrote. */
  | { readonly outcome: "applied"; readonly seq: number }
  /** Seen before: nothing changed. */
  | { readonly outcome: "duplicate" }
  /** Ahead of a gap: kept until the gap is filled. */
  | { readonly outcome: "held" }
  /** Nothing of the bundle was applied. */
  | { readonly outcome: "refused"; readonly code: string; readonly retryable: boolean };

/** What a bundle changed, inside its transaction. */
export interface AppliedChange {
  /** Where the bundle stands: the head of our stream from the commit on. */
  readonly head: ItemPlace;
  /** The state before; read at the first use. Its secrets are copies that go with the change. */
  readonly before: ContentView;
  readonly after: ContentView;
  /** Entries that are new or have other bytes than before. */
  readonly put: readonly Entry[];
  /** Entries that were held and are no more. */
  readonly removed: readonly Entry[];
  /** The time with what this bundle told of it; the node's own `time()` follows after the commit. */
  readonly at: NodeTime;
}

/** What a kind of node adds to the common part. */
export interface NodeHooks {
  /** Called in the transaction that applies a bundle, after the entries are written; what it throws refuses the bundle. The facts go into the outbox. */
  onApply?(tx: Transaction, change: AppliedChange): readonly Fact[];
  /** Leaves of the same transaction, by the node of this id as the log writes it. */
  leavesOf?(change: AppliedChange, self: string): readonly AuditEvent[];
  /**
   * Candidates sealed to the recovery key, for the report whose context (header keys 1 to 30) is given; null where none changed. Called in
   * the transaction that stores the report.
   */
  escrow?(tx: Transaction, reportContext: Uint8Array): Uint8Array | null;
  /** Facts that a snapshot report adds to those not acknowledged: where things stand now. */
  snapshotFacts?(view: View): readonly Fact[];
  /** True where the node's own work needs the account's values on its disk, whatever is said about memory only. */
  needsDisk?(view: View, account: Held<AccountContent>): boolean;
  /** What this node can do, told in reports: `[a-z0-9][a-z0-9.:-]*`. */
  readonly capabilities: readonly string[];
}

/**
 * A node that has joined: what gateway and edge have in common. It keeps trust, stream state, entries, outbox, nonces and time in the
 * store, and everything that it changes is one transaction.
 */
export interface JoinedNode {
  readonly nodeId: Uint8Array;
  readonly vaultId: Uint8Array;
  /** The vault's mailbox: the first 20 bytes of its id. */
  readonly vaultMailbox: Uint8Array;
  /** Keys; the TLS chain is the newest that the vault sent. */
  readonly identity: NodeIdentity;
  /** NORMAL follows the stream; in the others nothing new is begun, reads go on. */
  readonly mode: ReceiverMode;
  /** Our own statement, the newest, and its envelope. */
  member(): { readonly statement: MemberStatement; readonly envelope: Uint8Array };
  trust(): TrustState;
  /** Applies statements from a tunnel or a stick, durably. Throws TRUST_* and others. */
  learn(statements: readonly Uint8Array[]): void;
  /** Numbers our tunnel sessions, durably. */
  nextTunnelCounter(): number;
  /** The interval in seconds, as facts carry it. */
  time(): NodeTime;
  /** The interval in milliseconds, with what the machine's own clock may add. */
  interval(): TimeInterval;
  /** When the vault is known to have heard us last, by a first answer to a nonce of ours; its clock, milliseconds since 1970, null before. */
  readonly vaultLastHeardAtMs: number | null;
  /** When the vault issued the newest bundle that was applied here, by its own clock; answered or not. */
  readonly vaultLastWordAtMs: number | null;

  /** Judges and applies a bundle for this node. Does not throw for what arrived; throws STORE_* where the disk fails. */
  applyCarrier(carrier: Uint8Array): ApplyResult;
  /** Lends the present state, read from the store: secrets in it are copies that go when `use` returns. */
  withState<T>(use: (view: ContentView) => T): T;
  /** The entries of one type, decoded by the caller; cheaper than the whole state. */
  entriesOfType(type: number): Entry[];
  /** {@link entriesOfType}, read as they are asked for, so that others may be served in between. */
  eachOfType(type: number): Iterable<Entry>;
  /** One entry, or null. */
  entry(ref: EntryRef): Entry | null;
  /** The current value of a path where only memory holds it; "gone" where an earlier process held it so, null for every other path. */
  memoryOnly(path: string): MemoryValue | "gone" | null;
  /** Asks the vault for the whole state, unless that was asked already. Throws STORE_*. */
  wishSnapshot(): void;
  /** Called after each commit that changed entries, mode or trust. Returns how to stop. */
  onChanged(listener: () => void): () => void;

  /** Puts facts into the outbox inside the caller's transaction; they leave in the next report, sealed soon after the commit. */
  queueReport(tx: Transaction, facts: readonly Fact[]): void;
  /** Seals the report that is due now, if one is; else timers do. */
  flushReport(): void;
  /** Called when something for the vault is ready to be sent. Returns how to stop. */
  onOutgoing(listener: () => void): () => void;

  /** Head of the stream that flows towards us, told to peers. */
  head(): StreamHead;
  /** Sealed reports that wait for the vault's acknowledgement, oldest first, from after `after` on. */
  reports(after: { readonly epoch: number; readonly seq: number } | null, limits: OutboxLimits): readonly OutgoingReport[];
  /** For the mailroom: applies what is addressed to us. `stored` also where it is refused for good: it must not come again. */
  accept(item: CourierItem): ItemOutcome;

  /** Facts for `status`: what waits, and what was refused last. */
  status(): NodeStatus;
  /** Stops the timers. Idempotent. */
  close(): void;
}

export interface OutboxLimits {
  readonly items: number;
  readonly bytes: number;
}

/** A sealed report with its place in our stream. */
export interface OutgoingReport extends CourierItem {
  readonly epoch: number;
  readonly seq: number;
}

export interface NodeStatus {
  readonly mode: ReceiverMode;
  readonly entries: number;
  readonly epoch: number;
  readonly appliedSeq: number;
  readonly heldItems: number;
  readonly unacknowledgedReports: number;
  readonly waitingFacts: number;
  readonly vaultLastHeardAtMs: number | null;
  /** Values that only memory holds; those that ended with an earlier process and are asked for; paths that stay on disk all the same. */
  readonly memoryOnly: { readonly held: number; readonly gone: number; readonly onDisk: readonly string[] };
  /** Code of the last bundle that was refused since the start, null where none was. */
  readonly lastRefusal: string | null;
}
