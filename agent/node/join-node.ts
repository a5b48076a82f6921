import {
  asBytes,
  asBytesUpTo,
  assert,
  asTuple,
  decodeTcbor,
  encodeTcbor,
  sameBytes,
  TidegateError,
  utf8,
} from "../../protocol/base/index.ts";
import {
  applyBody,
  direction,
  emptyDigest,
  emptyState,
  openBundle,
  startReceiver,
  startSender,
} from "../../protocol/bundle/index.ts";
import { decodeCarrier } from "../../protocol/envelope/index.ts";
import type { EnrolmentCode } from "../../protocol/join/index.ts";
import { noTime } from "../../protocol/time/index.ts";
import { type MemberStatement, memberOf, newestRoot, startTrust, type TrustState } from "../../protocol/trust/index.ts";
import { storeStorage } from "../audit/index.ts";
import { identityOf, loadIdentity, type NodeIdentity, newIdentitySeeds, storeIdentity } from "../identity/index.ts";
import type { Seams } from "../seams/index.ts";
import type { Store, Transaction, View } from "../store/index.ts";
import { askOf, type JoinAsk, type KeptRequest, makeRequest, maxRequestBytes, noteSpent } from "./ask-keys.ts";
import { NodeError } from "./errors.ts";
import { firstLog } from "./limits.ts";
import { sampleOf } from "./node-parts.ts";
import { type NodeRecord, readRecord, writeRecord } from "./node-records.ts";

export interface JoinNodeOptions {
  readonly store: Store;
  readonly code: EnrolmentCode;
  /** Which kind of node this is; a code for another kind is refused. */
  readonly role: MemberStatement["role"];
  readonly seams: Pick<Seams, "clock" | "random">;
  /** Takes the request's carrier to the vault, and brings the answer's. */
  readonly exchange: (request: Uint8Array) => Promise<Uint8Array>;
}

export interface TryJoinOptions extends Omit<JoinNodeOptions, "exchange"> {
  /** Brings the answer's carrier, or null where it is not there yet and the request is on its way. */
  readonly exchange: (ask: JoinAsk) => Promise<Uint8Array | null>;
}

const table = "join";
const requestRow = utf8("request");
const answerRow = utf8("answer");

/**
 * Joins: makes keys, asks, verifies the answer under the root that the code pins, and stores all of it. The request is stored before
 * it is sent, so that a second try after a crash asks the same and gets the same answer. The snapshot in the answer is applied when
 * the node is opened. Throws NODE_ALREADY_JOINED, NODE_WRONG_ROLE, NODE_JOIN_ANSWER, and what `exchange`, trust and bundle throw.
 */
export async function joinNode(options: JoinNodeOptions): Promise<MemberStatement> {
  const joined = await tryJoin({ ...options, exchange: ({ carrier }) => options.exchange(carrier) });
  assert(joined !== null, "an exchange over a wire brings an answer or throws");
  return joined;
}

/** {@link joinNode} where the answer may not be there yet: null then, and the next try with the same code asks the same. */
export async function tryJoin(options: TryJoinOptions): Promise<MemberStatement | null> {
  const { store, code, role } = options;
  if (code.role !== role) {
    throw new NodeError("NODE_WRONG_ROLE", "the enrolment code is for another kind of node", {
      hint: "Use the command of the kind that the code was made for: 'tidegate gateway join' or 'tidegate edge join'.",
    });
  }
  if (store.read(readRecord) !== null) {
    throw new NodeError("NODE_ALREADY_JOINED", "this node has joined already", {
      hint: "To make another node, name another folder with --data DIR.",
    });
  }
  const request = pendingRequest(options) ?? newRequest(options);
  const { identity } = request;
  const answer = await options.exchange(askOf(request, identity));
  if (answer === null) return null;
  const { trust, member, record } = judgeAnswer(options, request, answer);
  store.transaction((tx) => {
    writeRecord(tx, record, null);
    keepAnswer(tx, answer);
    noteSpent(tx, code.codeId);
    tx.delete(table, requestRow);
  });
  assert(sameBytes(memberOf(trust, identity.nodeId).signKey, member.signKey), "the stored trust holds our statement");
  return member;
}

/** The vault's statement about the node that has joined with this store, or null where none has. */
export function joinedMember(store: Store): MemberStatement | null {
  return store.read((view) => {
    const record = readRecord(view);
    const seeds = loadIdentity(view);
    return record === null || seeds === null ? null : memberOf(record.trust, identityOf(seeds).nodeId);
  });
}

/** The answer's carrier that waits to be applied, or null. */
export function pendingAnswer(view: View): Uint8Array | null {
  return view.get(table, answerRow);
}

/** Keeps an answer that was judged good until the node is opened. */
export function keepAnswer(tx: Transaction, answer: Uint8Array): void {
  tx.put(table, answerRow, answer);
}

export function forgetAnswer(tx: Transaction): void {
  tx.delete(table, answerRow);
}

interface Request extends KeptRequest {
  readonly identity: NodeIdentity;
}

/** The request of an earlier try with the same code. */
function pendingRequest({ store, code }: TryJoinOptions): Request | null {
  return store.read((view) => {
    const row = view.get(table, requestRow);
    const seeds = loadIdentity(view);
    if (row === null || seeds === null) return null;
    const [codeId, nonce, carrier] = asTuple(decodeTcbor(row), "join", 3);
    if (!sameBytes(asBytes(codeId, "join.codeId", 16), code.codeId)) return null;
    return {
      nonce: asBytes(nonce, "join.nonce", 16),
      carrier: asBytesUpTo(carrier, "join.carrier", maxRequestBytes),
      identity: identityOf(seeds),
    };
  });
}

function newRequest({ store, code, seams }: TryJoinOptions): Request {
  const seeds = newIdentitySeeds(seams.random);
  const identity = identityOf(seeds);
  const request = makeRequest(identity, { code, nonce: seams.random(16), replaces: null });
  store.transaction((tx) => {
    storeIdentity(tx, seeds);
    storeStorage(firstLog).write(tx).putEpochKey({ number: 0, seed: seeds.epochSeed });
    tx.put(table, requestRow, encodeTcbor([code.codeId, request.nonce, request.carrier]));
  });
  return { ...request, identity };
}

/** Everything that can be wrong with an answer is found here, before anything of it is stored. */
function judgeAnswer(
  { code, seams }: TryJoinOptions,
  request: Request,
  answer: Uint8Array,
): { trust: TrustState; member: MemberStatement; record: NodeRecord } {
  const { identity, nonce } = request;
  const trust = startTrust(decodeCarrier(answer).statements, { version: code.rootVersion, id: code.rootId });
  const member = ownStatement(trust, identity, code);
  const epoch = newestRoot(trust).document.vaultEpoch;
  const receiver = startReceiver({ epoch, rootVersion: code.rootVersion, stateDigest: emptyDigest(), nonce });
  const opened = openBundle(answer, {
    direction: direction.down,
    trust,
    recipient: identity.nodeId,
    receiver,
    sealingKeys: [identity.sealing],
  });
  if (opened.judgement.verdict !== "apply" || opened.body === null) {
    throw new NodeError(
      "NODE_JOIN_ANSWER",
      `the answer does not answer this request (${opened.judgement.code ?? "not fresh"})`,
    );
  }
  applyBody(emptyState, opened.body);
  const clock = sampleOf(seams.clock);
  const record: NodeRecord = {
    trust,
    receiver,
    sender: startSender(epoch),
    time: noTime(clock),
    nonce: { bootId: clock.bootId, sinceBootMs: clock.sinceBootMs, answered: false, openUntilMs: [] },
    counters: { join: 1, boot: 0, tunnel: 0 },
    heard: { atMs: null, wordAtMs: null },
  };
  return { trust, member, record };
}

/** A gateway on the way might swap keys: the vault's statement must name exactly ours. */
function ownStatement(trust: TrustState, identity: NodeIdentity, code: EnrolmentCode): MemberStatement {
  let member: MemberStatement;
  try {
    member = memberOf(trust, identity.nodeId);
  } catch (cause) {
    if (!(cause instanceof TidegateError)) throw cause;
    throw new NodeError("NODE_JOIN_ANSWER", "the answer holds no statement about this node", { cause });
  }
  const same =
    sameBytes(member.signKey, identity.signing.publicKey) &&
    sameBytes(member.sealKey, identity.sealing.publicKey) &&
    sameBytes(member.tlsKeyHash, identity.tls.spkiHash) &&
    sameBytes(member.logKey, identity.log.publicKey) &&
    sameBytes(member.epochKey, identity.epochKey) &&
    member.name === code.name &&
    member.role === code.role;
  if (!same) throw new NodeError("NODE_JOIN_ANSWER", "the statement about this node names other keys, name or role than ours");
  return member;
}
