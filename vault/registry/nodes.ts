import type { NodeRow, VaultTransaction } from "../store/index.ts";
import { RegistryError } from "./codes.ts";

/** Every node that was not replaced, by name. */
export async function activeNodes(tx: VaultTransaction): Promise<NodeRow[]> {
  return tx.selectFrom("nodes").selectAll().where("state", "<>", "replaced").orderBy("name").execute();
}

/** The node of that name. Throws REGISTRY_NOT_FOUND. */
export async function nodeNamed(tx: VaultTransaction, name: string): Promise<NodeRow> {
  const row = await tx
    .selectFrom("nodes")
    .selectAll()
    .where("name", "=", name)
    .where("state", "<>", "replaced")
    .executeTakeFirst();
  if (row !== undefined) return row;
  throw new RegistryError("REGISTRY_NOT_FOUND", `there is no node ${name}`, { hint: "List them with 'tidegate node list'." });
}
