import type { DesiredEntry } from "../../protocol/bundle/index.ts";
import { parsePath, parsePattern, patternMatches, type StalePolicy } from "../../protocol/content/index.ts";
import { allFreshness, type RegistryContext } from "../registry/index.ts";
import type { AccountRow, VaultTransaction } from "../store/index.ts";
import { plainEntry } from "./plain-entry.ts";

/** The rules that reach one of a node's accounts: what others are called stays unsaid. */
export async function freshnessEntries(
  context: RegistryContext,
  tx: VaultTransaction,
  accounts: readonly AccountRow[],
): Promise<DesiredEntry[]> {
  const rules = await allFreshness(tx);
  if (rules.length === 0) return [];
  const paths = accounts.map(({ path }) => parsePath(path));
  return rules
    .filter(({ pattern }) => paths.some((path) => patternMatches(parsePattern(pattern), path)))
    .map((rule) =>
      plainEntry(context, rule.rule_id, {
        kind: "freshness",
        pattern: rule.pattern,
        staleAfterS: rule.stale_after_s,
        whenStale: rule.when_stale as StalePolicy,
        ttlS: rule.ttl_s,
      }),
    );
}
