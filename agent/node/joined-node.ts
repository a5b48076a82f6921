import { assert, sameBytes, TidegateError, toHex } from "../../protocol/base/index.ts";
import { type Entry, type EntryRef, entryKey, type Fact, type ReceiverMode, renewNonce } from "../../protocol/bundle/index.ts";
import { type ContentView, viewContent } from "../../protocol/content/index.ts";
import type { CourierItem, ItemOutcome } from "../../protocol/courier/index.ts";
import { advance, type TimeInterval } from "../../protocol/time/index.ts";
import type { MemberStatement, TrustState } from "../../protocol/trust/index.ts";
import type { StreamHead } from "../../protocol/tunnel/index.ts";
import type { NodeIdentity } from "../identity/index.ts";
import { type Transaction, viewOf } from "../store/index.ts";
import { applyBundle, draftWish, takeHeld } from "./apply-bundle.ts";
import type { ApplyResult, JoinedNode, NodeStatus, NodeTime, OutboxLimits, OutgoingReport } from "./contracts.ts";
import { countEntries, loadEntriesOfType, loadEntry } from "./entry-rows.ts";
import { forkedRoot, learnStatements, rootFork } from "./learn-trust.ts";
import { nodeLimits } from "./limits.ts";
import type { MemoryValue } from "./memory-entries.ts";
import { alarmFact, heldEntries, inSeconds, intervalOf, type NodeParts, sampleOf, streamEvent } from "./node-parts.ts";
import { addFacts, countFacts, readReports } from "./outbox.ts";
import { draftNonce } from "./own-nonce.ts";
import { ReportTimer } from "./report-timer.ts";
import type { Applied } from "./take-bundle.ts";

const noHead = new Uint8Array(32);

/** A joined node over its store: see {@link JoinedNode}. */
export class NodeCore implements JoinedNode {
  readonly #parts: NodeParts;
  readonly #changed = new Set<() => void>();
  readonly #reports: ReportTimer;
  readonly #refusals = new Map<string, number>();
  #cancelTime: (() => void) | null = null;
  #lastRefusal: string | null = null;
  #closed = false;

  constructor(parts: NodeParts) {
    this.#parts = parts;
    this.#reports = new ReportTimer(parts);
    this.#boot();
    this.#reports.begin();
    this.#scheduleTime();
  }

  get nodeId(): Uint8Array {
    return this.identity.nodeId;
  }

  get vaultId(): Uint8Array {
    return this.#parts.vaultId;
  }

  get vaultMailbox(): Uint8Array {
    return this.#parts.vaultMailbox;
  }

  get identity(): NodeIdentity {
    return this.#parts.identity.keys;
  }

  get mode(): ReceiverMode {
    return this.#parts.records.current.receiver.mode;
  }

  get vaultLastHeardAtMs(): number | null {
    return this.#parts.records.current.heard.atMs;
  }

  get vaultLastWordAtMs(): number | null {
    return this.#parts.records.current.heard.wordAtMs;
  }

  member(): { statement: MemberStatement; envelope: Uint8Array } {
    const held = this.trust().members.get(toHex(this.nodeId));
    assert(held !== undefined, "a joined node holds its own member statement");
    return { statement: held.statement, envelope: held.envelope };
  }

  trust(): TrustState {
    return this.#parts.records.current.trust;
  }

  learn(statements: readonly Uint8Array[]): void {
    try {
      if (learnStatements(this.#parts, statements)) this.#after({ changed: true, reportDue: true });
    } catch (error) {
      if (error instanceof TidegateError && error.code === rootFork) this.#noteRefusal(error.code);
      throw error;
    }
  }

  nextTunnelCounter(): number {
    return this.#parts.records.change((_tx, draft) => {
      draft.counters = { ...draft.counters, tunnel: draft.counters.tunnel + 1 };
      return draft.counters.tunnel;
    });
  }

  time(): NodeTime {
    return inSeconds(this.interval());
  }

  interval(): TimeInterval {
    return intervalOf(this.#parts.records.current.time, this.#parts.seams.clock, this.#parts.wall);
  }

  applyCarrier(carrier: Uint8Array): ApplyResult {
    const applied = applyBundle(this.#parts, carrier);
    let due = { changed: applied.changed, reportDue: applied.reportDue };
    let next = applied.next;
    try {
      while (next !== null) {
        const held = takeHeld(this.#parts, next);
        const following: Applied | null = held === null ? null : applyBundle(this.#parts, held);
        due = {
          changed: due.changed || following?.changed === true,
          reportDue: due.reportDue || following?.reportDue === true,
        };
        if (following?.result.outcome === "refused") this.#noteRefusal(following.result.code);
        next = following?.next ?? null;
      }
      if (applied.result.outcome === "refused") this.#noteRefusal(applied.result.code);
    } finally {
      // A revocation that was applied counts, also where the disk fails at what stands behind it.
      this.#after(due);
    }
    return applied.result;
  }

  withState<T>(use: (view: ContentView) => T): T {
    return use(this.#parts.store.read((view) => viewContent(heldEntries(this.#parts, view).values())));
  }

  entriesOfType(type: number): Entry[] {
    return [...this.eachOfType(type)];
  }

  *eachOfType(type: number): Generator<Entry> {
    yield* loadEntriesOfType(viewOf(this.#parts.store), type);
    yield* this.#parts.memory.entries(type);
  }

  entry(ref: EntryRef): Entry | null {
    return this.#parts.memory.entry(entryKey(ref)) ?? this.#parts.store.read((view) => loadEntry(view, ref));
  }

  memoryOnly(path: string): MemoryValue | "gone" | null {
    return this.#parts.memory.at(path);
  }

  wishSnapshot(): void {
    this.#parts.records.change((_tx, draft) => draftWish(this.#parts, draft));
    this.#reports.schedule();
  }

  onChanged(listener: () => void): () => void {
    this.#changed.add(listener);
    return () => this.#changed.delete(listener);
  }

  queueReport(tx: Transaction, facts: readonly Fact[]): void {
    addFacts(tx, facts);
    this.#reports.schedule();
  }

  flushReport(): void {
    this.#reports.flush();
  }

  onOutgoing(listener: () => void): () => void {
    return this.#reports.onOutgoing(listener);
  }

  head(): StreamHead {
    const { head, epoch } = this.#parts.records.current.receiver;
    return { nodeId: this.nodeId, epoch: head?.epoch ?? epoch, seq: head?.seq ?? 0, id: head?.id ?? noHead };
  }

  reports(after: { epoch: number; seq: number } | null, limits: OutboxLimits): OutgoingReport[] {
    const rows = this.#parts.store.read((view) => readReports(view, after, limits));
    return rows.map((row) => ({ ...row, mailbox: this.vaultMailbox }));
  }

  accept(item: CourierItem): ItemOutcome {
    if (!sameBytes(item.mailbox, this.nodeId)) return "refused";
    const result = this.applyCarrier(item.carrier);
    // Refused for now only: it may come again, when what it needs has come.
    return result.outcome === "refused" && result.retryable ? "full" : "stored";
  }

  status(): NodeStatus {
    const { receiver, sender, heard } = this.#parts.records.current;
    const memoryOnly = this.#parts.memory.status();
    const counted = this.#parts.store.read((view) => ({ entries: countEntries(view), waitingFacts: countFacts(view) }));
    return {
      ...counted,
      entries: counted.entries + memoryOnly.held,
      memoryOnly,
      mode: receiver.mode,
      epoch: receiver.epoch,
      appliedSeq: receiver.head?.seq ?? 0,
      heldItems: receiver.held.length,
      unacknowledgedReports: sender.unacknowledged.length,
      vaultLastHeardAtMs: heard.atMs,
      lastRefusal: this.#lastRefusal,
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reports.close();
    this.#cancelTime?.();
    this.#storeTime();
    this.#parts.memory.close();
  }

  /** Each start is counted, and asks the vault for the time with a new nonce. */
  #boot(): void {
    this.#parts.records.change((_tx, draft) => {
      draft.counters = { ...draft.counters, boot: draft.counters.boot + 1 };
      if (this.#parts.memory.status().gone > 0) draftWish(this.#parts, draft);
      if (draft.receiver.mode !== "NORMAL" || draft.receiver.wantsSnapshot) return;
      draft.receiver = renewNonce(draft.receiver, draftNonce(this.#parts, draft));
    });
  }

  #after(due: { changed: boolean; reportDue: boolean }): void {
    if (due.changed) for (const listener of [...this.#changed]) listener();
    if (due.reportDue) this.#reports.schedule();
  }

  #scheduleTime(): void {
    this.#cancelTime = this.#parts.seams.timers.after(nodeLimits.storeTimeMs, () => {
      this.#storeTime();
      this.#scheduleTime();
    });
  }

  /** A disk that fails here stops the writer, and nothing else: nobody waits for this, and reads go on. */
  #storeTime(): void {
    const { store, records, seams, log } = this.#parts;
    if (store.stopped !== null) return;
    try {
      records.change((_tx, draft) => {
        draft.time = advance(draft.time, sampleOf(seams.clock));
      });
    } catch (error) {
      if (!(error instanceof TidegateError)) throw error;
      log.error("time.failed", { error });
    }
  }

  /** A leaf for the first of a kind within a minute. */
  #noteRefusal(code: string): void {
    this.#lastRefusal = code;
    const { audit, seams, store, log } = this.#parts;
    const now = seams.clock.sinceBootMs();
    const last = this.#refusals.get(code);
    if (last !== undefined && now - last < nodeLimits.refusalLeafMs) return;
    this.#refusals.set(code, now);
    log.warn("bundle.refused", { code });
    store.transaction((tx) => {
      if (code !== rootFork) return audit.append(tx, streamEvent(this.#parts, "bundle.refuse", { outcome: "failed", code }));
      addFacts(tx, [alarmFact(this.#parts, code, "roots")]);
      return audit.append(tx, forkedRoot(this.#parts));
    });
    if (code === rootFork) this.#reports.schedule();
  }
}
