import { machineSeams } from "../../agent/seams/index.ts";
import { assert, Secret, toHex } from "../../protocol/base/index.ts";
import {
  type BundleBody,
  buildBundle,
  bundleKind,
  type DesiredEntry,
  direction,
  type EntryMap,
  emptyDigest,
  emptyState,
  headerHeard,
  itemApplied,
  itemIssued,
  judge,
  openVerified,
  planDelta,
  planSnapshot,
  type ReceiverState,
  raiseSenderEpoch,
  type SenderState,
  startReceiver,
  startSender,
  streamFields,
  verifyBundle,
} from "../../protocol/bundle/index.ts";
import { type FactContent, readFact } from "../../protocol/content/index.ts";
import { decodeCarrier, envelopeId } from "../../protocol/envelope/index.ts";
import { type EnrolmentCode, openJoinRequest } from "../../protocol/join/index.ts";
import {
  importSealingPublicKey,
  type SealingPublicKey,
  sealingKeyFromSeed,
  signingKeyFromSeed,
} from "../../protocol/keys/index.ts";
import {
  applyStatements,
  encodeRoot,
  type MemberStatement,
  type NodeRole,
  nodeRole,
  type RootDocument,
  signMember,
  signRevoked,
  signRoot,
  startTrust,
  type TrustState,
} from "../../protocol/trust/index.ts";

const { random } = machineSeams();

interface PaperNode {
  readonly statement: MemberStatement;
  readonly sealing: SealingPublicKey;
  sender: SenderState;
  receiver: ReceiverState;
  exported: EntryMap;
}

/** A vault without store, network or audit log: makes roots, answers joins, issues bundles and opens reports, for tests of nodes. */
export class PaperVault {
  readonly id: Uint8Array;
  readonly mailbox: Uint8Array;
  readonly statement: MemberStatement;
  readonly signer = signingKeyFromSeed(random(32));
  readonly #rootKey = signingKeyFromSeed(random(32));
  readonly #sealing = sealingKeyFromSeed(random(32));
  readonly #nodes = new Map<string, PaperNode>();
  readonly #documents: RootDocument[] = [];
  /** Escrow blobs that came, with what they are bound to. */
  readonly escrows: { readonly blob: Uint8Array; readonly reportContext: Uint8Array }[] = [];
  trust: TrustState;
  /** Seconds since 1970: what bundles are issued at. */
  nowS = 1_800_000_000;

  constructor(tlsCaKeys: readonly Uint8Array[] = []) {
    const document: RootDocument = {
      version: 1,
      vaultId: null,
      trustDomain: "plant.test",
      vaultEpoch: 1,
      rootKeys: [this.#rootKey.publicKey],
      threshold: 1,
      bundleSigners: [this.signer.publicKey],
      sealingKeys: [this.#sealing.publicKey],
      recoveryKey: sealingKeyFromSeed(random(32)).publicKey,
      tlsCaKeys,
      witnessKeys: [],
    };
    this.#documents.push(document);
    this.id = envelopeId("root", encodeRoot(document));
    this.mailbox = this.id.slice(0, 20);
    this.trust = startTrust([signRoot(document, [this.#rootKey])], { version: 1, id: this.id });
    this.statement = this.#member({
      nodeId: this.signer.keyId,
      name: "vault",
      role: nodeRole.vault,
      signKey: this.signer.publicKey,
    });
    this.#learn([signMember(this.statement, this.signer)]);
  }

  /** An enrolment code for one node. */
  enrol(name: string, role: NodeRole, address = "127.0.0.1:1"): EnrolmentCode {
    return { codeId: random(16), secret: new Secret(random(16)), rootVersion: 1, rootId: this.id, role, name, address };
  }

  /** Answers a join request of any code of ours, with a snapshot of `desired`. */
  answer(request: Uint8Array, code: EnrolmentCode, desired: readonly DesiredEntry[] = []): Uint8Array {
    const join = openJoinRequest(decodeCarrier(request).envelope, code);
    const statement = this.#member({
      nodeId: join.nodeId,
      name: join.name,
      role: join.role,
      signKey: join.signKey,
      sealKey: join.sealKey,
      tlsKeyHash: join.tlsKeyHash,
      logKey: join.logKey,
      epochKey: join.epochKey,
    });
    this.#learn([signMember(statement, this.signer)]);
    const { vaultEpoch: epoch } = this.#newest;
    this.#nodes.set(toHex(join.nodeId), {
      statement,
      sealing: importSealingPublicKey(join.sealKey),
      sender: startSender(epoch, [join.nonce]),
      receiver: startReceiver({ epoch, rootVersion: 1, stateDigest: emptyDigest(), nonce: random(16) }),
      exported: emptyState,
    });
    return this.snapshot(join.nodeId, desired, this.statements());
  }

  /** Roots, members and revoked list as the vault holds them. */
  statements(): Uint8Array[] {
    const { roots, members, revoked } = this.trust;
    return [
      ...roots.map((root) => root.envelope),
      ...[...members.values()].map((member) => member.envelope),
      ...(revoked === null ? [] : [revoked.envelope]),
    ];
  }

  /** A delta to `desired`, or null where nothing changes. */
  delta(nodeId: Uint8Array, desired: readonly DesiredEntry[]): Uint8Array | null {
    const node = this.node(nodeId);
    const plan = planDelta({ exported: node.exported, desired, random });
    if (plan === null) return null;
    node.exported = plan.entries;
    return this.issue(nodeId, plan.body, bundleKind.delta);
  }

  snapshot(nodeId: Uint8Array, desired: readonly DesiredEntry[], statements: readonly Uint8Array[] = []): Uint8Array {
    const node = this.node(nodeId);
    const plan = planSnapshot({ exported: node.exported, desired, random });
    node.exported = plan.entries;
    return this.issue(nodeId, plan.body, bundleKind.snapshot, statements);
  }

  /** Seals any body, also a wrong one. */
  issue(nodeId: Uint8Array, body: BundleBody, kind: 0 | 1, statements: readonly Uint8Array[] = []): Uint8Array {
    const node = this.node(nodeId);
    const root = this.trust.roots.at(-1);
    assert(root !== undefined, "a root");
    const built = buildBundle({
      header: {
        ...streamFields(node.sender, node.receiver),
        vaultId: this.id,
        direction: direction.down,
        recipient: nodeId,
        root: { version: root.document.version, id: root.id },
        kind,
        issuedAt: { lo: this.nowS, hi: this.nowS },
        auditHead: null,
        provenHead: null,
        boot: null,
      },
      body,
      signer: this.signer,
      recipientKey: node.sealing,
      statements,
    });
    node.sender = itemIssued(node.sender, built.id, kind);
    return built.carrier;
  }

  /** Opens and ingests a report: its facts, and what it acknowledged. */
  ingest(carrier: Uint8Array): {
    from: string;
    facts: FactContent[];
    kind: number;
    seq: number;
    outcome: string;
    verdict: string;
  } {
    const verified = verifyBundle(carrier, { direction: direction.up, trust: this.trust, recipient: this.mailbox });
    assert(verified.signerNode !== null, "a report has a signer");
    const node = this.node(verified.signerNode);
    const from = node.statement.name;
    const { header, id } = verified;
    const judged = judge(node.receiver, header, id);
    if (judged.verdict !== "apply")
      return { from, facts: [], kind: header.kind, seq: header.seq, outcome: "none", verdict: judged.verdict };
    const body = openVerified(verified, [this.#sealing]);
    const heard = headerHeard(node.sender, header);
    node.sender = heard.sender;
    node.receiver = itemApplied(node.receiver, header, id, emptyDigest()).receiver;
    if (body.escrow !== null) this.escrows.push({ blob: body.escrow, reportContext: verified.context });
    const facts = body.facts.map((fact) => readFact(fact)).flatMap((read) => ("content" in read ? [read.content] : []));
    return { from, facts, kind: header.kind, seq: header.seq, outcome: heard.outcome, verdict: judged.verdict };
  }

  /** A new root, which the nodes get beside the next items. */
  raiseRoot(change: Partial<RootDocument> = {}): Uint8Array {
    const last = this.#newest;
    const document = { ...last, vaultId: this.id, version: last.version + 1, ...change };
    this.#documents.push(document);
    const envelope = signRoot(document, [this.#rootKey]);
    this.#learn([envelope]);
    for (const node of this.#nodes.values()) {
      if (document.vaultEpoch > node.sender.epoch) node.sender = raiseSenderEpoch(node.sender, document.vaultEpoch);
    }
    return envelope;
  }

  /** Another root of the newest one's version, signed by the same key: the nodes get it from the test alone. */
  forkRoot(): Uint8Array {
    const witnessKeys = [signingKeyFromSeed(random(32)).publicKey];
    return signRoot({ ...this.#newest, vaultId: this.id, witnessKeys }, [this.#rootKey]);
  }

  /** A revoked list of these nodes. */
  revoke(version: number, ...nodeIds: Uint8Array[]): Uint8Array {
    const list = { vaultId: this.id, version, nodes: nodeIds.map((nodeId) => ({ nodeId, serial: 1 })) };
    const envelope = signRevoked(list, this.signer);
    this.#learn([envelope]);
    return envelope;
  }

  node(nodeId: Uint8Array): PaperNode {
    const node = this.#nodes.get(toHex(nodeId));
    assert(node !== undefined, "a node that joined");
    return node;
  }

  get #newest(): RootDocument {
    const newest = this.#documents.at(-1);
    assert(newest !== undefined, "a root");
    return newest;
  }

  #learn(statements: readonly Uint8Array[]): void {
    this.trust = applyStatements(this.trust, statements).state;
  }

  #member(fields: Partial<MemberStatement> & Pick<MemberStatement, "nodeId" | "name" | "role" | "signKey">): MemberStatement {
    return {
      vaultId: this.id,
      serial: 1,
      zone: "plant-1",
      sealKey: this.#sealing.publicKey,
      tlsKeyHash: random(32),
      logKey: signingKeyFromSeed(random(32)).publicKey,
      epochKey: signingKeyFromSeed(random(32)).publicKey,
      witnessKey: null,
      ...fields,
    };
  }
}
