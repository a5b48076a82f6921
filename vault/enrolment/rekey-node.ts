import { sameBytes } from "../../protocol/base/index.ts";
import { bundleLimits, nodeOfSigner } from "../../protocol/bundle/index.ts";
import type { JoinRequest } from "../../protocol/join/index.ts";
import { keyAlgorithm, keyIdOf, nodeIdText } from "../../protocol/keys/index.ts";
import { memberOf, signMember } from "../../protocol/trust/index.ts";
import { putStatement } from "../identity/index.ts";
import type { CodeRow, NodeRow, VaultTransaction } from "../store/index.ts";
import { lockStreams, saveStreams, type VaultCore } from "../streams/index.ts";
import { EnrolError } from "./codes.ts";
import { rekeySetting } from "./issue-code.ts";
import { highestStatementNumber } from "./statement-number.ts";
import { storeCertificate } from "./store-certificate.ts";

/**
 * Binds new keys to a node by a new statement: from then on the old ones count for nothing. A node that was held as a clone goes on with
 * them, since only one of the two has them. Throws ENROL_REPLACES, ENROL_NODE_KNOWN, TRUST_*.
 */
export async function rekeyNode(
  core: VaultCore,
  tx: VaultTransaction,
  join: { code: CodeRow; request: JoinRequest; tlsKey: Uint8Array; nodeId: Uint8Array },
): Promise<{ node: NodeRow; replaced: null }> {
  const { code, request, nodeId } = join;
  const trust = await core.trust.read(tx);
  const before = memberOf(trust, nodeId);
  const isItself =
    request.replaces !== null &&
    sameBytes(request.replaces, nodeId) &&
    sameBytes(request.logKey, before.logKey) &&
    sameBytes(request.epochKey, before.epochKey);
  if (!isItself) throw new EnrolError("ENROL_REPLACES", `the request is not one of ${code.name} for new keys of its own`);
  if (nodeOfSigner(trust, keyIdOf(keyAlgorithm.ed25519, request.signKey)) !== null)
    throw new EnrolError("ENROL_NODE_KNOWN", "the request's signing key belongs to a node already");
  const serial = (await highestStatementNumber(tx, trust, before.serial)) + 1;
  const { signKey, sealKey, tlsKeyHash } = request;
  const statement = signMember({ ...before, serial, signKey, sealKey, tlsKeyHash }, core.keys.identity.signing);
  await putStatement(tx, statement, core.random);
  await storeCertificate(core, tx, join);
  await tx.deleteFrom("settings").where("name", "=", rekeySetting(code.code_id)).execute();
  await tx.deleteFrom("held_reports").where("node_id", "=", nodeId).execute();
  const streams = await lockStreams(tx, nodeId);
  const heardNonces = [request.nonce, ...streams.sender.heardNonces].slice(0, bundleLimits.answers);
  await saveStreams(tx, nodeId, {
    ...streams,
    sender: { ...streams.sender, heardNonces, snapshotWanted: true },
    receiver: { ...streams.receiver, held: [] },
  });
  const { state } = await tx.selectFrom("nodes").select("state").where("node_id", "=", nodeId).executeTakeFirstOrThrow();
  await tx
    .updateTable("nodes")
    .set({ state: "active", joined_at: core.clock.wallMs() })
    .where("node_id", "=", nodeId)
    .execute();
  await core.log.append(tx, {
    action: "node.rekey",
    actor: { kind: "node", id: "vault" },
    subject: { kind: "node", id: nodeIdText(nodeId) },
    outcome: "ok",
    details: { serial },
  });
  if (state === "held") {
    await core.log.append(tx, {
      action: "node.release",
      actor: { kind: "node", id: "vault" },
      subject: { kind: "node", id: nodeIdText(nodeId) },
      outcome: "ok",
      details: { reason: "new keys" },
    });
  }
  const node = await tx.selectFrom("nodes").selectAll().where("node_id", "=", nodeId).executeTakeFirstOrThrow();
  return { node, replaced: null };
}
