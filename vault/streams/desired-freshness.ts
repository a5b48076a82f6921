import { hash } from "node:crypto";
import { concat, toHex, utf8 } from "../../protocol/base/index.ts";
import type { DesiredEntry } from "../../protocol/bundle/index.ts";
import type { StalePolicy } from "../../protocol/content/index.ts";
import { covers, type RegistryContext } from "../registry/index.ts";
import type { AccountRow, FreshnessRuleRow, VaultTransaction } from "../store/index.ts";
import type { ExportSources } from "./export-sources.ts";
import { plainEntry } from "./plain-entry.ts";

/**
 * The rules that reach one of a node's accounts: what others are called stays unsaid. A rule for one model becomes one for each path
 * that it covers: a gateway is not told what its applications' devices are.
 */
export async function freshnessEntries(
  { context, freshness: rules }: ExportSources,
  tx: VaultTransaction,
  accounts: readonly AccountRow[],
): Promise<DesiredEntry[]> {
  if (rules.length === 0) return [];
  const models = rules.some(({ model }) => model !== null) ? await modelsByDevice(tx) : new Map<string, string>();
  return rules.flatMap((rule) => {
    const covered = accounts.filter(({ path, device_id }) => covers(rule, { path, model: models.get(toHex(device_id)) ?? "" }));
    if (covered.length === 0) return [];
    if (rule.model === null) return [ruleEntry(context, rule.rule_id, rule, rule.pattern)];
    return covered.map(({ account_id, path }) => ruleEntry(context, idFor(rule, account_id), rule, path));
  });
}

function ruleEntry(context: RegistryContext, id: Uint8Array, rule: FreshnessRuleRow, pattern: string): DesiredEntry {
  return plainEntry(context, id, {
    kind: "freshness",
    pattern,
    staleAfterS: rule.stale_after_s,
    whenStale: rule.when_stale as StalePolicy,
    ttlS: rule.ttl_s,
    memoryOnly: rule.memory_only === 1,
  });
}

/** The same rule and account are the same entry each time. */
function idFor({ rule_id }: FreshnessRuleRow, accountId: Uint8Array): Uint8Array {
  return new Uint8Array(hash("sha256", concat(utf8("tidegate/1 freshness"), rule_id, accountId), "buffer")).slice(0, 16);
}

async function modelsByDevice(tx: VaultTransaction): Promise<ReadonlyMap<string, string>> {
  const devices = await tx.selectFrom("devices").select(["device_id", "model"]).execute();
  return new Map(devices.map(({ device_id, model }) => [toHex(device_id), model]));
}
