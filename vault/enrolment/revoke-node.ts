import { toHex } from "../../protocol/base/index.ts";
import { nodeRole } from "../../protocol/trust/index.ts";
import { exposedAccounts } from "../fleet/index.ts";
import { nodeNamed } from "../registry/index.ts";
import type { NodeRow, VaultTransaction } from "../store/index.ts";
import { exportNodes, type VaultCore } from "../streams/index.ts";
import { endNode } from "./replace-node.ts";

/** What a node could read, and who went through it. */
export interface Exposure {
  readonly name: string;
  readonly role: "gateway" | "edge";
  readonly zone: string;
  /** Paths of the accounts of which it was given a value that is or may come into use. */
  readonly accounts: readonly string[];
  /** Names of the edges that reach the vault through it. */
  readonly edges: readonly string[];
}

/** What the node of that name could read. Throws REGISTRY_NOT_FOUND. */
export async function exposureOf(tx: VaultTransaction, name: string): Promise<Exposure> {
  return exposureOfNode(tx, await nodeNamed(tx, name));
}

/**
 * Ends a node's membership at once: no session, no bundle, no report of it counts any more. What it knows it goes on knowing: the answer
 * lists it. Throws REGISTRY_NOT_FOUND, TRUST_TOO_MANY.
 */
export async function revokeNode(
  core: VaultCore,
  tx: VaultTransaction,
  input: { readonly name: string; readonly reason: string },
): Promise<{ readonly exposure: Exposure; readonly reached: readonly Uint8Array[] }> {
  const node = await nodeNamed(tx, input.name);
  const exposure = await exposureOfNode(tx, node);
  await endNode(core, tx, node, input.reason);
  // Gateways get the new list at once, and an edge loses what only the revoked one was there for.
  return { exposure, reached: await exportNodes(core, tx, { zone: null, accounts: null }) };
}

async function exposureOfNode(tx: VaultTransaction, node: NodeRow): Promise<Exposure> {
  const children = await tx
    .selectFrom("nodes")
    .select("name")
    .where("via", "=", node.node_id)
    .where("state", "<>", "replaced")
    .orderBy("name")
    .execute();
  const { name, zone } = node;
  const role = node.role === nodeRole.gateway ? "gateway" : "edge";
  return { name, role, zone, accounts: await readableBy(tx, node), edges: children.map((each) => each.name) };
}

/** An edge has every value of its zone; of a gateway it was noted which it was given. */
async function readableBy(tx: VaultTransaction, node: NodeRow): Promise<string[]> {
  const given = node.role === nodeRole.gateway ? await exposedAccounts(tx, [node.node_id]) : null;
  const rows = await tx
    .selectFrom("accounts")
    .select(["account_id", "path"])
    .where("next_number", ">", 0)
    .orderBy("path")
    .execute();
  return rows
    .filter(({ account_id, path }) => (given === null ? path.startsWith(`${node.zone}/`) : given.has(toHex(account_id))))
    .map(({ path }) => path);
}
