import { hash } from "node:crypto";
import { encodeTcbor, sameBytes, TidegateError } from "../../protocol/base/index.ts";
import {
  acknowledgement,
  applyBody,
  type BundleBody,
  type BundleHeader,
  bundleKind,
  type DesiredEntry,
  direction,
  type EntryMap,
  emptyBody,
  emptyDigest,
  emptyState,
  headerHeard,
  itemApplied,
  itemIssued,
  type Judge,
  planDelta,
  planSnapshot,
  type ReceiverState,
  raiseSenderEpoch,
  type SenderState,
  snapshotDue,
  startReceiver,
  startSender,
  stateDigest,
  streamFields,
} from "../../protocol/bundle/index.ts";
import {
  type EscrowWord,
  exportedRole,
  ingestReport,
  isLaterLeaf,
  issueValue,
  type Ledger,
  type LedgerReport,
  learnEscrow,
  maxPool,
  openLedger,
  openValues,
  raiseEpoch,
} from "../../protocol/rotation/index.ts";

/** A fact of a report, at its place in the edge's log. */
export interface ModelFact {
  readonly leaf: number;
  readonly report: LedgerReport;
}

/** A bundle or a report on its way: sealed and signed by assumption, everything else as in the product. */
export interface Item {
  readonly name: string;
  readonly id: Uint8Array;
  readonly header: BundleHeader;
  readonly body: BundleBody;
  readonly facts: readonly ModelFact[];
  readonly escrow: EscrowWord | null;
}

/** What the vault's store says at one moment. */
export interface VaultState {
  readonly ledger: Ledger;
  readonly sender: SenderState;
  readonly receiver: ReceiverState;
  /** What the edge has after everything that was issued to it. */
  readonly exported: EntryMap;
  readonly outbox: readonly Item[];
  readonly lastLeaf: number;
  /** Values issued in this epoch. */
  readonly drawn: number;
  /** How often the store lost what it had: what is drawn afterwards is another value. */
  readonly lineage: number;
}

/** Why a report changed nothing that it should have, or null. */
export interface Ingested {
  readonly state: VaultState;
  readonly problem: string | undefined;
}

/** The fingerprint of a value. */
export const printOf = (ref: number) => new Uint8Array(32).fill(ref);
const idOf = (text: string) => new Uint8Array(hash("sha256", text, "buffer"));
const zeros = (length: number) => new Uint8Array(length);
const roles = ["current", "pool", "pending"] as const;
/** Values drawn after a loss bear other refs than those that were lost. */
const refsPerLineage = 20;

/** The vault before it has issued anything; `edge` numbers the node at the other end. */
export function newVault(edge: number): VaultState {
  return {
    ledger: openLedger(1, printOf(0)),
    ...streamsOf(1, edge),
    exported: emptyState,
    outbox: [],
    lastLeaf: 0,
    drawn: 0,
    lineage: 0,
  };
}

/** The same vault towards a new edge in the place of the one that died. */
export function towardsNewEdge(vault: VaultState, edge: number): VaultState {
  return { ...vault, ...streamsOf(vault.ledger.epoch, edge), exported: emptyState, outbox: [], lastLeaf: 0 };
}

function streamsOf(epoch: number, edge: number): Pick<VaultState, "sender" | "receiver"> {
  const nonce = new Uint8Array(16).fill(100 + edge);
  return {
    sender: startSender(epoch, [nonceOf(edge)]),
    receiver: startReceiver({ epoch, rootVersion: 1, stateDigest: emptyDigest(), nonce }),
  };
}

/** The nonce of an edge's join request. */
export function nonceOf(edge: number): Uint8Array {
  return new Uint8Array(16).fill(edge);
}

/** A backup that takes the place of the store: a new root raises the epoch, and nothing is issued before the escrow. */
export function restoredVault(backup: VaultState): VaultState {
  const epoch = backup.ledger.epoch + 1;
  return {
    ...backup,
    ledger: raiseEpoch(backup.ledger, epoch),
    sender: raiseSenderEpoch(backup.sender, epoch),
    outbox: [],
    drawn: 0,
    lineage: backup.lineage + 1,
  };
}

/** Fills the pool up to `values` an epoch, and issues what follows; the same state where there is nothing to do. */
export function worked(vault: VaultState, values: number, always: boolean): VaultState {
  let next = vault;
  if (next.ledger.unsettled) return next;
  while (next.drawn < values && openValues(next.ledger).length < maxPool) {
    const ref = refOf(next, next.ledger.epoch, next.ledger.nextNumber);
    next = { ...next, drawn: next.drawn + 1, ledger: issueValue(next.ledger, printOf(ref)).ledger };
  }
  return issued(next, always);
}

function refOf({ lineage }: VaultState, epoch: number, number: number): number {
  return lineage * refsPerLineage + (epoch - 1) * 5 + number;
}

function issued(vault: VaultState, always: boolean): VaultState {
  const { sender, receiver, exported, ledger } = vault;
  const wanted = desired(ledger);
  const digest = () => stateDigest(exported);
  const plan = snapshotDue(sender)
    ? planSnapshot({ exported, desired: wanted, random: zeros })
    : (planDelta({ exported, desired: wanted, random: zeros }) ??
      (always ? { entries: exported, body: emptyBody(digest(), digest()) } : null));
  if (plan === null) return vault;
  const item = makeItem({ sender, receiver, body: plan.body, root: ledger.epoch, facts: [], escrow: null, up: false });
  return {
    ...vault,
    exported: plan.entries,
    sender: itemIssued(sender, item.id, item.header.kind),
    outbox: [...vault.outbox, item],
  };
}

/** What the edge shall have: the values that are not terminal. */
export function desired(ledger: Ledger): DesiredEntry[] {
  return ledger.values.flatMap(({ index: [epoch, number], fingerprint, status }) => {
    const role = exportedRole(status, "edge");
    const [ref = 0] = fingerprint;
    if (role === null) return [];
    const id = new Uint8Array(16).fill(ref);
    return [{ type: 3, id, index: { epoch, number }, authority: null, payload: Uint8Array.of(roles.indexOf(role), ref) }];
  });
}

/** What the edge reads in its entries. */
export function offered(entries: EntryMap): { index: readonly [number, number]; role: (typeof roles)[number]; ref: number }[] {
  return [...entries.values()].map(({ index: { epoch, number }, payload: [role = 0, ref = 0] }) => ({
    index: [epoch, number],
    role: roles[role] ?? "pool",
    ref,
  }));
}

export interface ItemParts {
  readonly sender: SenderState;
  readonly receiver: ReceiverState;
  readonly body: BundleBody;
  /** Root version that the sender knows. */
  readonly root: number;
  readonly facts: readonly ModelFact[];
  readonly escrow: EscrowWord | null;
  readonly up: boolean;
}

/** An item as its sender would sign it; equal contents have equal ids. */
export function makeItem({ sender, receiver, body, root, facts, escrow, up }: ItemParts): Item {
  const fields = streamFields(sender, receiver);
  const kind = body.baseDigest === null ? bundleKind.snapshot : bundleKind.delta;
  const told = facts.map(({ leaf, report }) => `${leaf} ${report.kind} ${report.index.join(".")}`);
  const held = escrow?.values.map(({ index }) => index.join("."));
  const id = idOf(
    `${up} ${told} ${held} ${Buffer.from(
      encodeTcbor([fields.vaultEpoch, fields.seq, fields.prev, kind, body.resultDigest, acknowledgement(receiver)?.id ?? null]),
    ).toString("hex")}`,
  );
  const header: BundleHeader = {
    ...fields,
    vaultId: zeros(32),
    direction: up ? direction.up : direction.down,
    signer: zeros(20),
    recipient: zeros(20),
    sealingKeyId: zeros(20),
    root: { version: root, id: zeros(32) },
    kind,
    issuedAt: { lo: 0, hi: 0 },
    auditHead: null,
    provenHead: null,
    boot: null,
    encapsulated: zeros(0),
    commitment: zeros(0),
    ciphertextLength: 1,
    ciphertextHash: zeros(32),
  };
  return { name: `${up ? "report" : "bundle"} ${fields.vaultEpoch}.${fields.seq}`, id, header, body, facts, escrow };
}

/** Takes a report in, as the vault does in one transaction; what it has to answer follows in the same one. */
export function ingested(vault: VaultState, item: Item, judge: Judge, values: number): Ingested | null {
  if (judge(vault.receiver, item.header, item.id).verdict !== "apply") return null;
  applyBody(emptyState, item.body);
  const heard = headerHeard(vault.sender, item.header);
  const { receiver } = itemApplied(vault.receiver, item.header, item.id, emptyDigest());
  const outbox = vault.outbox.filter(({ id }) => !heard.settled.some((each) => sameBytes(each.id, id)));
  let next: VaultState = { ...vault, receiver, sender: heard.sender, outbox };
  try {
    for (const fact of item.facts) next = factTaken(next, fact);
    if (next.ledger.unsettled && item.escrow !== null && item.header.vaultEpoch === next.ledger.epoch)
      next = { ...next, ledger: learnEscrow(next.ledger, item.escrow) };
  } catch (error) {
    if (error instanceof TidegateError) return { state: vault, problem: error.code };
    throw error;
  }
  const strange = heard.outcome === "ahead" || heard.outcome === "fork";
  const problem = strange ? `the edge holds what this vault never issued (${heard.outcome})` : undefined;
  return { state: worked(next, values, item.facts.length > 0 || item.escrow !== null), problem };
}

function factTaken(vault: VaultState, { leaf, report }: ModelFact): VaultState {
  const place = (index: number) => ({ serial: 0, index });
  const known = vault.ledger.values.some(({ index }) => index[0] === report.index[0] && index[1] === report.index[1]);
  // After a restore only: the escrow brings the value.
  if (!known) return vault;
  if (!isLaterLeaf(place(leaf), place(vault.lastLeaf))) return vault;
  return { ...vault, lastLeaf: leaf, ledger: ingestReport(vault.ledger, report) };
}

/** Equal for equal states. */
export function vaultText({ ledger, sender, receiver, outbox, ...rest }: VaultState): string {
  const values = ledger.values.map(({ index, fingerprint: [ref], status }) => `${index.join(".")}=${ref}${status}`);
  const streams = [
    sender.epoch,
    sender.nextSeq,
    sender.snapshotWanted,
    placeText(sender.acknowledged),
    placeText(receiver.head),
  ];
  const sent = outbox.map(({ id }) => hex(id));
  const state = [ledger.epoch, ledger.nextNumber, ledger.unsettled, rest.lastLeaf, rest.drawn, rest.lineage];
  return `${values}|${streams}|${sent}|${state}|${hex(sender.prev)}`;
}

/** A place in a stream, shortly. */
export function placeText(head: { readonly epoch: number; readonly seq: number } | null): string {
  return head === null ? "-" : `${head.epoch}.${head.seq}`;
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
