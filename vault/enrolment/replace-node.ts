import { sameBytes } from "../../protocol/base/index.ts";
import { nodeIdText } from "../../protocol/keys/index.ts";
import { maxRevoked, memberOf, type RevokedNode, signRevoked, TrustError } from "../../protocol/trust/index.ts";
import { putStatement } from "../identity/index.ts";
import type { NodeRow, VaultTransaction } from "../store/index.ts";
import type { VaultCore } from "../streams/index.ts";
import { EnrolError } from "./codes.ts";
import { highestStatementNumber } from "./statement-number.ts";

/**
 * Ends the node that bears this name, if any: it is revoked, and what waits for it is dropped. Returns its id. Throws ENROL_REPLACES
 * where the request names another node than the vault would replace, TRUST_TOO_MANY where the revoked list is full.
 */
export async function replaceNode(
  core: VaultCore,
  tx: VaultTransaction,
  options: { name: string; named: Uint8Array | null; by: Uint8Array; logKey: Uint8Array },
): Promise<Uint8Array | null> {
  const old = await tx
    .selectFrom("nodes")
    .selectAll()
    .where("name", "=", options.name)
    .where("state", "<>", "replaced")
    .executeTakeFirst();
  if (options.named !== null && (old === undefined || !sameBytes(old.node_id, options.named))) {
    throw new EnrolError("ENROL_REPLACES", `the request replaces a node that is not ${options.name}`);
  }
  if (old === undefined) return null;
  // A node that wants new keys keeps its log: with a code for a new node it would be revoked by its own request.
  const { logKey } = memberOf(await core.trust.read(tx), old.node_id);
  if (sameBytes(logKey, options.logKey)) {
    const hint = `Get a code for new keys: tidegate node rekey ${options.name}`;
    throw new EnrolError("ENROL_REPLACES", `${options.name} itself asks to be replaced`, hint);
  }
  await endNode(core, tx, old, `replaced by ${nodeIdText(options.by)}`);
  return old.node_id;
}

/**
 * Puts the node on the revoked list for ever and drops what waits for it. Its name is free for a successor. Throws TRUST_TOO_MANY where
 * the list is full.
 */
export async function endNode(core: VaultCore, tx: VaultTransaction, old: NodeRow, reason: string): Promise<void> {
  const trust = await core.trust.read(tx);
  // Whatever keys it has: it may have been given newer ones that a restored vault does not know of.
  const serial = await highestStatementNumber(tx, trust, memberOf(trust, old.node_id).serial);
  const listed: readonly RevokedNode[] = trust.revoked?.list.nodes ?? [];
  if (listed.length >= maxRevoked) {
    throw new TrustError("TRUST_TOO_MANY", `${listed.length} nodes were revoked, and the list has room for no more`);
  }
  const list = {
    vaultId: core.vaultId,
    version: (await highestStatementNumber(tx, trust, trust.revoked?.list.version ?? 0)) + 1,
    nodes: [...listed, { nodeId: old.node_id, serial }],
  };
  await putStatement(tx, signRevoked(list, core.keys.identity.signing), core.random);
  await tx.updateTable("nodes").set({ state: "replaced" }).where("node_id", "=", old.node_id).execute();
  for (const table of ["outbox", "stream_entries", "held_reports", "consumers"] as const) {
    await tx.deleteFrom(table).where("node_id", "=", old.node_id).execute();
  }
  await core.log.append(tx, {
    action: "node.revoke",
    actor: { kind: "operator", id: "local" },
    subject: { kind: "node", id: nodeIdText(old.node_id) },
    outcome: "ok",
    details: { serial, reason },
  });
}
