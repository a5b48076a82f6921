import { hash } from "node:crypto";
import { assert, Secret, sameBytes, toHex } from "../../protocol/base/index.ts";
import { emptyDigest, startReceiver, startSender } from "../../protocol/bundle/index.ts";
import { decodeCarrier } from "../../protocol/envelope/index.ts";
import { type JoinRequest, joinCodeIdOf, openJoinRequest } from "../../protocol/join/index.ts";
import { nodeIdText } from "../../protocol/keys/index.ts";
import { type NodeRole, newestRoot, nodeRole, signMember, type TrustState } from "../../protocol/trust/index.ts";
import { memberStatement, putStatement } from "../identity/index.ts";
import { activeNodes } from "../registry/index.ts";
import type { CodeRow, NodeRow, VaultTransaction } from "../store/index.ts";
import { issueBundle, startStreams, type VaultCore } from "../streams/index.ts";
import { EnrolError } from "./codes.ts";
import { codePlace, rekeySetting } from "./issue-code.ts";
import { tlsKeyBytes } from "./limits.ts";
import { rekeyNode } from "./rekey-node.ts";
import { replaceNode } from "./replace-node.ts";
import { storeCertificate } from "./store-certificate.ts";

export interface JoinAnswered {
  /** The answer's carrier; the same bytes each time the same request comes. */
  readonly carrier: Uint8Array;
  readonly nodeId: Uint8Array;
  /** True where the same request was answered before. */
  readonly repeated: boolean;
  /** Nodes that have something new to fetch. */
  readonly reached: readonly Uint8Array[];
}

/**
 * Answers a join request. The code is burned in the transaction that stores the keys; the same request again gets the same answer, any
 * other one is refused. Throws the ENROL codes, JOIN_*, CARRIER_*, ENVELOPE_*, KEY_* and CA_*.
 */
export async function answerJoin(core: VaultCore, carrierBytes: Uint8Array): Promise<JoinAnswered> {
  const { envelope, body } = decodeCarrier(carrierBytes);
  const codeId = joinCodeIdOf(envelope);
  const requestHash = new Uint8Array(hash("sha256", envelope, "buffer"));
  return core.store.transaction(async (tx) => {
    const code = await tx.selectFrom("codes").selectAll().where("code_id", "=", codeId).executeTakeFirst();
    if (code === undefined) throw new EnrolError("ENROL_CODE_UNKNOWN", "the enrolment code is not one of this vault");
    if (code.burned_at !== null) return repeated(core, code, { envelope, requestHash });
    if (code.expires_at <= core.clock.wallMs()) {
      throw new EnrolError("ENROL_CODE_EXPIRED", `the enrolment code for ${code.name} has expired`, "Give out a new one.");
    }
    const request = openWith(core, code, envelope);
    if (body.length !== tlsKeyBytes || !sameBytes(hash("sha256", body, "buffer"), request.tlsKeyHash)) {
      throw new EnrolError("ENROL_TLS_KEY", "the join request came without the public key that it names");
    }
    const join = { code, request, tlsKey: body };
    const changes = await tx.selectFrom("settings").select("value").where("name", "=", rekeySetting(codeId)).executeTakeFirst();
    const { node, replaced } =
      changes === undefined
        ? await registerNode(core, tx, join)
        : await rekeyNode(core, tx, { ...join, nodeId: changes.value });
    const statements = await statementsFor(core, tx, node);
    const carrier = await issueBundle(core, tx, node, { always: true, answersJoin: true, statements });
    assert(carrier !== null, "a new node's first bundle is a snapshot");
    await tx
      .updateTable("codes")
      .set({ burned_at: node.joined_at, request_hash: requestHash, answer: carrier })
      .where("code_id", "=", codeId)
      .execute();
    await core.log.append(tx, {
      action: "code.burn",
      actor: { kind: "node", id: nodeIdText(node.node_id) },
      subject: { kind: "code", id: toHex(codeId) },
      outcome: "ok",
      details: { reason: "used" },
    });
    const reached = await exportToGateways(core, tx, node, { replaced, rekeyed: changes !== undefined });
    return { carrier, nodeId: node.node_id, repeated: false, reached };
  });
}

/** Only who holds the code's secret learns that it was used, or gets the answer again. */
function repeated(core: VaultCore, code: CodeRow, item: { envelope: Uint8Array; requestHash: Uint8Array }): JoinAnswered {
  const request = openWith(core, code, item.envelope);
  if (code.answer !== null && code.request_hash !== null && sameBytes(code.request_hash, item.requestHash)) {
    return { carrier: code.answer, nodeId: request.replaces ?? request.nodeId, repeated: true, reached: [] };
  }
  throw new EnrolError("ENROL_CODE_USED", `the enrolment code for ${code.name} was used by another request`);
}

function openWith(core: VaultCore, code: CodeRow, envelope: Uint8Array): JoinRequest {
  const opened = core.seal.open(codePlace(code.code_id), code.secret_sealed);
  const secret = new Secret(opened);
  opened.fill(0);
  try {
    return openJoinRequest(envelope, {
      codeId: code.code_id,
      secret,
      rootId: code.root_id,
      role: code.role as NodeRole,
      name: code.name,
    });
  } finally {
    secret.wipe();
  }
}

async function registerNode(
  core: VaultCore,
  tx: VaultTransaction,
  join: { code: CodeRow; request: JoinRequest; tlsKey: Uint8Array },
): Promise<{ node: NodeRow; replaced: Uint8Array | null }> {
  const { code, request } = join;
  const known = await tx.selectFrom("nodes").select("node_id").where("node_id", "=", request.nodeId).executeTakeFirst();
  if (known !== undefined) throw new EnrolError("ENROL_NODE_KNOWN", "the request's signing key belongs to a node already");
  const replaced = await replaceNode(core, tx, {
    name: code.name,
    named: request.replaces,
    by: request.nodeId,
    logKey: request.logKey,
  });
  const node: NodeRow = {
    node_id: request.nodeId,
    name: code.name,
    role: code.role,
    zone: code.zone,
    via: code.via,
    address: code.address,
    state: "active",
    joined_at: core.clock.wallMs(),
    last_heard_at: null,
    join_counter: 0,
    boot_counter: 0,
    alarms_dropped: 0,
  };
  await tx.insertInto("nodes").values(node).execute();
  await putStatement(tx, memberOfRequest(core, code, request), core.random);
  await storeCertificate(core, tx, { ...join, nodeId: request.nodeId });
  await startNodeStreams(core, tx, request);
  const roleName = code.role === nodeRole.gateway ? "gateway" : "edge";
  await core.log.append(tx, {
    action: "node.enroll",
    actor: { kind: "node", id: "vault" },
    subject: { kind: "node", id: nodeIdText(request.nodeId) },
    outcome: "ok",
    details: { role: roleName, zone: code.zone, name: code.name, codeId: Buffer.from(code.code_id).toString("hex"), serial: 1 },
  });
  await moveChildren(tx, node);
  return { node, replaced };
}

function memberOfRequest(core: VaultCore, code: CodeRow, request: JoinRequest): Uint8Array {
  return signMember(
    {
      vaultId: core.vaultId,
      nodeId: request.nodeId,
      serial: 1,
      name: code.name,
      role: code.role as NodeRole,
      zone: code.zone,
      signKey: request.signKey,
      sealKey: request.sealKey,
      tlsKeyHash: request.tlsKeyHash,
      logKey: request.logKey,
      epochKey: request.epochKey,
      witnessKey: null,
    },
    core.keys.identity.signing,
  );
}

async function startNodeStreams(core: VaultCore, tx: VaultTransaction, request: JoinRequest): Promise<void> {
  const { document } = newestRoot(await core.trust.read(tx));
  await startStreams(tx, request.nodeId, {
    sender: startSender(document.vaultEpoch, [request.nonce]),
    receiver: startReceiver({
      epoch: document.vaultEpoch,
      rootVersion: document.version,
      stateDigest: emptyDigest(),
      nonce: core.random(16),
    }),
    answered: null,
    revokedSent: 0,
  });
}

/** What a node needs to begin to trust: roots, the vault, the gateway that it goes through, itself. Who is revoked comes with any snapshot. */
async function statementsFor(core: VaultCore, tx: VaultTransaction, node: NodeRow): Promise<Uint8Array[]> {
  const trust: TrustState = await core.trust.read(tx);
  const members: Uint8Array[] = [];
  for (const id of [core.keys.identity.nodeId, ...(node.via === null ? [] : [node.via]), node.node_id]) {
    const statement = await memberStatement(tx, id);
    assert(statement !== null, "every registered node has its statement");
    members.push(statement);
  }
  return [...trust.roots.map((root) => root.envelope), ...members];
}

/** Edges behind a gateway that was replaced, or revoked a while ago, go through the one that bears its name now. */
async function moveChildren(tx: VaultTransaction, node: NodeRow): Promise<void> {
  const before = await tx
    .selectFrom("nodes")
    .select("node_id")
    .where("name", "=", node.name)
    .where("state", "=", "replaced")
    .execute();
  for (const { node_id: from } of before) {
    await tx.updateTable("nodes").set({ via: node.node_id }).where("via", "=", from).execute();
    await tx.updateTable("codes").set({ via: node.node_id }).where("via", "=", from).execute();
  }
}

/**
 * The gateway learns whose mailbox it keeps. Where the node took another's place, every gateway learns at once who is revoked: that one
 * may be connected there.
 */
async function exportToGateways(
  core: VaultCore,
  tx: VaultTransaction,
  node: NodeRow,
  change: { replaced: Uint8Array | null; rekeyed: boolean },
): Promise<Uint8Array[]> {
  const { replaced, rekeyed } = change;
  const member = rekeyed ? await memberStatement(tx, node.node_id) : null;
  const reached: Uint8Array[] = [];
  for (const gateway of await activeNodes(tx)) {
    if (gateway.role !== nodeRole.gateway || sameBytes(gateway.node_id, node.node_id)) continue;
    const concerned = replaced !== null || (node.via !== null && sameBytes(gateway.node_id, node.via));
    // New keys count at once where the old ones are in use.
    const options = member === null ? {} : { always: true, statements: [member] };
    if (concerned && (await issueBundle(core, tx, gateway, { accounts: [], ...options })) !== null)
      reached.push(gateway.node_id);
  }
  return reached;
}
