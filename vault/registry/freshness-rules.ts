import type { StalePolicy } from "../../protocol/content/index.ts";
import type { FreshnessRuleRow, VaultTransaction } from "../store/index.ts";
import { RegistryError } from "./codes.ts";
import { freshnessRules } from "./limits.ts";
import type { RegistryContext } from "./registry-context.ts";

export interface FreshnessInput {
  /** Path pattern, parsed before. */
  readonly pattern: string;
  readonly staleAfterS: number | null;
  readonly whenStale: StalePolicy;
  readonly ttlS: number | null;
}

/** Says how long what the pattern covers may be read without the vault; in place of what was said of the same pattern. Throws REGISTRY_INVALID. */
export async function setFreshness(context: RegistryContext, tx: VaultTransaction, input: FreshnessInput): Promise<void> {
  const { pattern, staleAfterS, whenStale, ttlS } = input;
  const rules = await allFreshness(tx);
  const known = rules.find((rule) => rule.pattern === pattern);
  if (known === undefined && rules.length >= freshnessRules) {
    throw new RegistryError("REGISTRY_INVALID", `there are ${rules.length} rules, at most ${freshnessRules}`, {
      hint: "Remove some with 'tidegate freshness remove', or cover more by one pattern.",
    });
  }
  const says = { stale_after_s: staleAfterS, when_stale: whenStale, ttl_s: ttlS };
  if (known === undefined) {
    const row = { rule_id: context.random(16), pattern, created_at: context.nowMs(), ...says };
    await tx.insertInto("freshness_rules").values(row).execute();
  } else await tx.updateTable("freshness_rules").set(says).where("rule_id", "=", known.rule_id).execute();
  await context.audit(tx, {
    action: "freshness.set",
    actor: { kind: "operator", id: "local" },
    subject: { kind: "configuration", id: pattern },
    outcome: "ok",
    details: {
      whenStale,
      ...(staleAfterS === null ? {} : { staleAfterS }),
      ...(ttlS === null ? {} : { ttlS }),
    },
  });
}

/** Takes a rule back. Throws REGISTRY_NOT_FOUND. */
export async function removeFreshness(context: RegistryContext, tx: VaultTransaction, pattern: string): Promise<void> {
  const known = (await allFreshness(tx)).find((rule) => rule.pattern === pattern);
  if (known === undefined) {
    throw new RegistryError("REGISTRY_NOT_FOUND", `there is no rule for ${pattern}`, {
      hint: "List them with 'tidegate freshness list'.",
    });
  }
  await tx.deleteFrom("freshness_rules").where("rule_id", "=", known.rule_id).execute();
  await context.audit(tx, {
    action: "freshness.remove",
    actor: { kind: "operator", id: "local" },
    subject: { kind: "configuration", id: pattern },
    outcome: "ok",
  });
}

/** All rules, by pattern. */
export function allFreshness(tx: VaultTransaction): Promise<FreshnessRuleRow[]> {
  return tx.selectFrom("freshness_rules").selectAll().orderBy("pattern").execute();
}
