import { allFreshness, type RegistryContext } from "../registry/index.ts";
import type { FreshnessRuleRow, NodeRow, VaultTransaction } from "../store/index.ts";
import { type ApplicationGrants, allApplications } from "./desired-applications.ts";
import { registryOf, type VaultCore } from "./vault-core.ts";

/** What the entries of every node are made from. */
export interface ExportSources {
  readonly context: RegistryContext;
  readonly applications: readonly ApplicationGrants[];
  readonly freshness: readonly FreshnessRuleRow[];
  /** All but those that were replaced. */
  readonly nodes: readonly NodeRow[];
}

/** Reads them at the first call, once for all nodes that one transaction issues to: nothing of it changes while it issues. */
export function exportSources(core: VaultCore, tx: VaultTransaction): () => Promise<ExportSources> {
  let reading: Promise<ExportSources> | null = null;
  return () => {
    reading ??= read(core, tx);
    return reading;
  };
}

async function read(core: VaultCore, tx: VaultTransaction): Promise<ExportSources> {
  const context = await registryOf(core, tx);
  const applications = await allApplications(context, tx);
  const freshness = await allFreshness(tx);
  const nodes = await tx.selectFrom("nodes").selectAll().where("state", "<>", "replaced").orderBy("node_id").execute();
  return { context, applications, freshness, nodes };
}
