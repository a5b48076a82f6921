import { TidegateError, toHex } from "../../../protocol/base/index.ts";
import {
  type Answered,
  answered,
  applyBody,
  askSnapshot,
  type BuiltBundle,
  buildBundle,
  bundleKind,
  type DesiredEntry,
  direction,
  dropHeld,
  type EntryMap,
  emptyDigest,
  emptyState,
  type HeaderContext,
  headerHeard,
  holdItem,
  itemApplied,
  itemIssued,
  type Judge,
  judge,
  openVerified,
  type Plan,
  planDelta,
  planSnapshot,
  type ReceiverState,
  type SenderState,
  snapshotDue,
  startReceiver,
  startSender,
  streamFields,
  verifyBundle,
} from "../../../protocol/bundle/index.ts";
import { applyStatements, newestRoot, signRoot, type TrustState } from "../../../protocol/trust/index.ts";
import {
  sampleMember,
  sampleRecipient,
  sampleRoot,
  sampleSealer,
  sampleSigner,
  sampleTrust,
  sampleVaultId,
} from "../sample-vault.ts";

/** Made once: deriving an X-Wing key takes a millisecond. */
export const edge = { nodeId: sampleMember().nodeId, sealer: sampleSealer(32), recipient: sampleRecipient(32) };
export const vault = {
  id: sampleVaultId(),
  signer: sampleSigner(11),
  sealer: sampleSealer(21),
  recipient: sampleRecipient(21),
};
const nodeSigner = sampleSigner(31);
const firstTrust = sampleTrust();

/** Bytes that differ from call to call and repeat from run to run. */
export function sequence(seed = 1): (length: number) => Uint8Array {
  let state = seed >>> 0 || 1;
  return (length) =>
    Uint8Array.from({ length }, () => {
      // xorshift32
      state ^= state << 13;
      state >>>= 0;
      state ^= state >>> 17;
      state ^= state << 5;
      state >>>= 0;
      return state & 0xff;
    });
}

/** A desired entry of type 900, opaque on purpose: streams do not read what entries say. */
export function wanted(id: number, version: number, text = `value ${id}.${version}`): DesiredEntry {
  const index = { epoch: 1, number: version };
  return { type: 900, id: new Uint8Array(16).fill(id), index, authority: null, payload: new TextEncoder().encode(text) };
}

/** Root 2 of the sample vault, signed by root key 1. */
export function secondRoot(vaultEpoch: number): Uint8Array {
  return signRoot(sampleRoot({ version: 2, vaultId: vault.id, vaultEpoch }), [sampleSigner(1)]);
}

/** The trust state after {@link secondRoot}. */
export function secondTrust(vaultEpoch: number): TrustState {
  return applyStatements(firstTrust, [secondRoot(vaultEpoch)]).state;
}

/** Header fields that all samples share. */
export function sampleContext(changes: Partial<HeaderContext> = {}): HeaderContext {
  const down = (changes.direction ?? direction.down) === direction.down;
  return {
    vaultId: vault.id,
    vaultEpoch: 1,
    direction: direction.down,
    signer: (down ? vault.signer : nodeSigner).keyId,
    recipient: down ? edge.nodeId : vault.id.slice(0, 20),
    sealingKeyId: (down ? edge : vault).recipient.keyId,
    root: { version: 1, id: vault.id },
    seq: 1,
    prev: new Uint8Array(32),
    kind: bundleKind.snapshot,
    issuedAt: down ? { lo: 1_800_000_000, hi: 1_800_000_000 } : { lo: 1_800_000_000, hi: null },
    nonce: new Uint8Array(16).fill(0xa1),
    answers: [],
    ack: null,
    auditHead: null,
    provenHead: null,
    boot: down ? null : { joinCounter: 1, bootCounter: 7 },
    ...changes,
  };
}

const edgeNonce = new Uint8Array(16).fill(0xe0);

/** The vault's end of the stream to one edge. Public fields: a test may turn it back, as a restored vault would be. */
export class VaultEnd {
  sender: SenderState;
  exported: EntryMap = emptyState;
  receiver: ReceiverState;
  trust = firstTrust;
  readonly #random = sequence(7);

  constructor() {
    this.sender = startSender(1, [edgeNonce]);
    this.receiver = startReceiver({
      epoch: 1,
      rootVersion: 1,
      stateDigest: emptyDigest(),
      nonce: new Uint8Array(16).fill(0xb0),
    });
  }

  /** Issues what brings the edge to `desired`: a delta where one is allowed, else a snapshot. */
  issue(desired: readonly DesiredEntry[], changes: Partial<HeaderContext> & { snapshot?: boolean } = {}): BuiltBundle {
    const { snapshot = snapshotDue(this.sender), ...fields } = changes;
    const options = { exported: this.exported, desired, random: this.#random };
    const plan: Plan | null = snapshot ? planSnapshot(options) : planDelta(options);
    if (plan === null) throw new Error("nothing to issue");
    const kind = snapshot ? bundleKind.snapshot : bundleKind.delta;
    const root = newestRoot(this.trust);
    const header = sampleContext({
      ...streamFields(this.sender, this.receiver),
      root: { version: root.document.version, id: root.id },
      kind,
      ...fields,
    });
    const built = buildBundle({ header, body: plan.body, signer: vault.signer, recipientKey: edge.recipient });
    this.sender = itemIssued(this.sender, built.id, kind);
    this.exported = plan.entries;
    return built;
  }
}

/** The edge's end: what a node does with each carrier, with its store in memory and the judge handed in. */
export class EdgeEnd {
  receiver: ReceiverState;
  entries: EntryMap = emptyState;
  trust = firstTrust;
  answered: Answered = "none";
  readonly held = new Map<string, Uint8Array>();
  readonly #judge: Judge;
  readonly #random = sequence(9);

  constructor(judgeToUse: Judge = judge) {
    this.#judge = judgeToUse;
    this.receiver = startReceiver({ epoch: 1, rootVersion: 1, stateDigest: emptyDigest(), nonce: edgeNonce });
  }

  nonce(): Uint8Array {
    return this.#random(16);
  }

  /** Takes one carrier; answers with the verdict, or with the code of the refusal. */
  take(carrier: Uint8Array): string {
    try {
      return this.#take(carrier);
    } catch (error) {
      if (error instanceof TidegateError) return error.code;
      throw error;
    }
  }

  /** Texts of the held entries, sorted. */
  values(): string[] {
    return [...this.entries.values()].map((entry) => new TextDecoder().decode(entry.payload)).sort();
  }

  #take(carrier: Uint8Array): string {
    const options = { direction: direction.down, trust: this.trust, recipient: edge.nodeId };
    const verified = verifyBundle(carrier, options);
    const { header, id } = verified;
    const { verdict, code } = this.#judge(this.receiver, header, id);
    if (verdict === "refuse") {
      if (code === "STREAM_HELD_FULL") this.receiver = askSnapshot(this.receiver, this.nonce());
      return code ?? "no code";
    }
    if (verdict === "hold") {
      this.receiver = holdItem(this.receiver, header, id);
      this.held.set(toHex(id), carrier);
    }
    if (verdict !== "apply") return verdict;
    const body = openVerified(verified, [edge.sealer]);
    const applied = applyBody(this.entries, body);
    const after = itemApplied(this.receiver, header, id, applied.digest);
    this.answered = answered(this.receiver, header);
    this.trust = verified.trust;
    this.entries = applied.entries;
    this.receiver = after.receiver;
    for (const item of [...after.dropped, { id }]) this.held.delete(toHex(item.id));
    if (after.next !== null) this.#takeHeld(after.next.id);
    return verdict;
  }

  #takeHeld(id: Uint8Array): void {
    const carrier = this.held.get(toHex(id));
    if (carrier === undefined) throw new Error("a held item has its carrier");
    this.held.delete(toHex(id));
    if (this.take(carrier) !== "apply") this.receiver = dropHeld(this.receiver, id);
  }
}

/** Lets the vault hear the edge's acknowledgement and nonce, as a report's header would carry them. */
export function reportHeads(from: EdgeEnd, to: VaultEnd): string {
  const { receiver } = from;
  const fields = streamFields(startSender(1), receiver);
  const context = sampleContext({ direction: direction.up, ...fields });
  const seal = { encapsulated: new Uint8Array(1120), commitment: new Uint8Array(32) };
  const header = { ...context, ...seal, ciphertextLength: 0, ciphertextHash: new Uint8Array(32) };
  const heard = headerHeard(to.sender, header);
  to.sender = heard.sender;
  return heard.outcome;
}
