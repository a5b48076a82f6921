import { asBytes, asBytesUpTo, asTuple, decodeTcbor, encodeTcbor, sameBytes, utf8 } from "../../protocol/base/index.ts";
import { direction, openBundle, requireSnapshot } from "../../protocol/bundle/index.ts";
import { decodeCarrier } from "../../protocol/envelope/index.ts";
import { applyStatements, type MemberStatement, memberOf } from "../../protocol/trust/index.ts";
import {
  decodeSeeds,
  encodeSeeds,
  type IdentitySeeds,
  identityOf,
  loadIdentity,
  rekeyedSeeds,
  storeIdentity,
} from "../identity/index.ts";
import type { Store, View } from "../store/index.ts";
import { askOf, type KeptRequest, makeRequest, maxRequestBytes, noteSpent, requireUnspent } from "./ask-keys.ts";
import { NodeError } from "./errors.ts";
import { keepAnswer, type TryJoinOptions } from "./join-node.ts";
import { sampleOf } from "./node-parts.ts";
import { type NodeRecord, readRecord, writeRecord } from "./node-records.ts";
import { dropReportsBefore, markAllUnsent } from "./outbox.ts";

const table = "rekey";
const requestRow = utf8("request");

interface Request extends KeptRequest {
  readonly seeds: IdentitySeeds;
}

/**
 * Gives a node that has joined new keys under its own id, and null where the answer is not there yet: the next try with the same code asks
 * the same. What was sealed or signed under the old keys and not yet acknowledged is told anew. Throws NODE_NOT_JOINED, NODE_WRONG_ROLE,
 * NODE_CODE_SPENT, NODE_JOIN_ANSWER, and what `exchange`, trust and bundle throw.
 */
export async function rekeyNode(options: TryJoinOptions): Promise<MemberStatement | null> {
  const { store, code, role } = options;
  const { record, seeds } = joined(store);
  const before = memberOf(record.trust, identityOf(seeds).nodeId);
  if (code.role !== role || code.name !== before.name) {
    throw new NodeError("NODE_WRONG_ROLE", `the code is not for ${before.name}`, {
      hint: `Get one at the vault: tidegate node rekey ${before.name}`,
    });
  }
  store.read((view) => requireUnspent(view, code.codeId));
  const request = store.read((view) => pendingRequest(view, code.codeId)) ?? newRequest(options, seeds);
  const answer = await options.exchange(askOf(request, identityOf(request.seeds)));
  if (answer === null) return null;
  const { member, next } = judgeAnswer(options, { record, request, answer });
  store.transaction((tx) => {
    storeIdentity(tx, request.seeds);
    dropReportsBefore(tx, Number.MAX_SAFE_INTEGER);
    markAllUnsent(tx);
    writeRecord(tx, next, record);
    keepAnswer(tx, answer);
    noteSpent(tx, code.codeId);
    tx.delete(table, requestRow);
  });
  return member;
}

function joined(store: Store): { record: NodeRecord; seeds: IdentitySeeds } {
  const [record, seeds] = store.read((view) => [readRecord(view), loadIdentity(view)] as const);
  if (record !== null && seeds !== null) return { record, seeds };
  throw new NodeError("NODE_NOT_JOINED", "this node has not joined a vault", {
    hint: "Join it first: 'tidegate gateway join' or 'tidegate edge join'.",
  });
}

function pendingRequest(view: View, wanted: Uint8Array): Request | null {
  const row = view.get(table, requestRow);
  if (row === null) return null;
  const [codeId, nonce, carrier, seeds] = asTuple(decodeTcbor(row), "rekey", 4);
  if (!sameBytes(asBytes(codeId, "rekey.codeId", 16), wanted)) return null;
  return {
    nonce: asBytes(nonce, "rekey.nonce", 16),
    carrier: asBytesUpTo(carrier, "rekey.carrier", maxRequestBytes),
    seeds: decodeSeeds(asBytesUpTo(seeds, "rekey.seeds", maxRequestBytes)),
  };
}

function newRequest({ store, code, seams }: TryJoinOptions, before: IdentitySeeds): Request {
  const seeds = rekeyedSeeds(before, seams.random);
  const identity = identityOf(seeds);
  const request = makeRequest(identity, { code, nonce: seams.random(16), replaces: identity.nodeId });
  const { nonce, carrier } = request;
  store.transaction((tx) => tx.put(table, requestRow, encodeTcbor([code.codeId, nonce, carrier, encodeSeeds(seeds)])));
  return { ...request, seeds };
}

/** Everything that can be wrong with an answer is found here, before anything of it is stored. */
function judgeAnswer(
  { seams }: TryJoinOptions,
  of: { record: NodeRecord; request: Request; answer: Uint8Array },
): { member: MemberStatement; next: NodeRecord } {
  const { record, request, answer } = of;
  const identity = identityOf(request.seeds);
  const trust = applyStatements(record.trust, decodeCarrier(answer).statements).state;
  const member = memberOf(trust, identity.nodeId);
  // It may be known already, where the running node met the answer first: that it names keys which nobody else has ever seen is enough.
  const isOurs =
    sameBytes(member.signKey, identity.signing.publicKey) &&
    sameBytes(member.sealKey, identity.sealing.publicKey) &&
    sameBytes(member.tlsKeyHash, identity.tls.spkiHash) &&
    sameBytes(member.logKey, identity.log.publicKey);
  if (!isOurs)
    throw new NodeError("NODE_JOIN_ANSWER", "the newest statement about this node names other keys than the new ones");
  const receiver = requireSnapshot(record.receiver, "REJOINED", request.nonce);
  const opened = openBundle(answer, {
    direction: direction.down,
    trust,
    recipient: identity.nodeId,
    receiver,
    sealingKeys: [identity.sealing],
  });
  if (opened.judgement.verdict !== "apply") {
    const why = opened.judgement.code ?? "not fresh";
    throw new NodeError("NODE_JOIN_ANSWER", `the answer does not answer this request (${why})`);
  }
  const clock = sampleOf(seams.clock);
  return {
    member,
    next: {
      ...record,
      trust,
      receiver,
      sender: { ...record.sender, snapshotWanted: true },
      nonce: { bootId: clock.bootId, sinceBootMs: clock.sinceBootMs, answered: false, openUntilMs: [] },
      counters: { ...record.counters, join: record.counters.join + 1 },
    },
  };
}
