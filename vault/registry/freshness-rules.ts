import { coveringPattern, parsePattern, patternMatches, type StalePolicy } from "../../protocol/content/index.ts";
import type { AccountRow, FreshnessRuleRow, VaultTransaction } from "../store/index.ts";
import { RegistryError } from "./codes.ts";
import { freshnessRules } from "./limits.ts";
import type { RegistryContext } from "./registry-context.ts";

/** What a rule covers: a path pattern, and of that the devices of one model, or of all where it is null. */
export interface FreshnessScope {
  /** Path pattern, parsed before; a zone or a device stands for all below it. */
  readonly pattern: string;
  readonly model: string | null;
}

export interface FreshnessInput extends FreshnessScope {
  readonly staleAfterS: number | null;
  readonly whenStale: StalePolicy;
  readonly ttlS: number | null;
  readonly memoryOnly: boolean;
}

/** What became of a rule that was set. */
export interface FreshnessOutcome {
  /** The pattern as it is kept. */
  readonly pattern: string;
  /** How many accounts it covers now. */
  readonly accounts: number;
  /** What was said before of the same pattern and model, and holds no more. */
  readonly replaced: FreshnessRuleRow | null;
}

/**
 * Says how long what it covers may be read without the vault, and whether a node's disk may hold it; in place of what was said of the
 * same pattern and model. Throws REGISTRY_INVALID, REGISTRY_NOT_FOUND, REGISTRY_MEMORY_ONLY.
 */
export async function setFreshness(
  context: RegistryContext,
  tx: VaultTransaction,
  input: FreshnessInput,
): Promise<FreshnessOutcome> {
  const { model, staleAfterS, whenStale, ttlS, memoryOnly } = input;
  const pattern = coveringPattern(input.pattern);
  const rules = await allFreshness(tx);
  const known = rules.find((rule) => isOf(rule, { pattern, model }));
  if (known === undefined && rules.length >= freshnessRules) {
    throw new RegistryError("REGISTRY_INVALID", `there are ${rules.length} rules, at most ${freshnessRules}`, {
      hint: "Remove some with 'tidegate freshness remove', or cover more by one pattern.",
    });
  }
  if (model !== null) await requireModel(tx, model);
  const covered = await coveredBy(tx, { pattern, model });
  if (memoryOnly) refuseRotated(covered);
  const says = { stale_after_s: staleAfterS, when_stale: whenStale, ttl_s: ttlS, memory_only: memoryOnly ? 1 : 0 };
  if (known === undefined) {
    const row = { rule_id: context.random(16), pattern, model, created_at: context.nowMs(), ...says };
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
      ...(model === null ? {} : { model }),
      ...(memoryOnly ? { memoryOnly } : {}),
    },
  });
  return { pattern, accounts: covered.length, replaced: known ?? null };
}

/** Takes a rule back; answers with the scope as it was kept. Throws REGISTRY_NOT_FOUND. */
export async function removeFreshness(
  context: RegistryContext,
  tx: VaultTransaction,
  { pattern: named, model }: FreshnessScope,
): Promise<FreshnessScope> {
  const pattern = coveringPattern(named);
  const known = (await allFreshness(tx)).find((rule) => isOf(rule, { pattern, model }));
  if (known === undefined) {
    const of = model === null ? pattern : `${pattern} and model ${model}`;
    throw new RegistryError("REGISTRY_NOT_FOUND", `there is no rule for ${of}`, {
      hint: "List them with 'tidegate freshness list'.",
    });
  }
  await tx.deleteFrom("freshness_rules").where("rule_id", "=", known.rule_id).execute();
  await context.audit(tx, {
    action: "freshness.remove",
    actor: { kind: "operator", id: "local" },
    subject: { kind: "configuration", id: pattern },
    outcome: "ok",
    details: model === null ? {} : { model },
  });
  return { pattern, model };
}

/** All rules, by pattern, those for all models first. Rows of an older vault may name a zone or a device alone. */
export async function allFreshness(tx: VaultTransaction): Promise<FreshnessRuleRow[]> {
  const rows = await tx.selectFrom("freshness_rules").selectAll().orderBy("pattern").execute();
  const rules = rows.map((row) => ({ ...row, pattern: coveringPattern(row.pattern) }));
  return rules.sort((a, b) => compare(a.pattern, b.pattern) || compare(a.model ?? "", b.model ?? ""));
}

/** Refuses to let an account be rotated whose values no node may keep on disk. Throws REGISTRY_MEMORY_ONLY. */
export async function refuseMemoryOnly(
  tx: VaultTransaction,
  account: Pick<AccountRow, "path" | "device_id">,
  what: string,
): Promise<void> {
  const rules = (await allFreshness(tx)).filter((rule) => rule.memory_only === 1);
  if (rules.length === 0) return;
  const { model } = await tx
    .selectFrom("devices")
    .select("model")
    .where("device_id", "=", account.device_id)
    .executeTakeFirstOrThrow();
  const rule = rules.find((each) => covers(each, { path: account.path, model }));
  if (rule === undefined) return;
  throw new RegistryError("REGISTRY_MEMORY_ONLY", `${account.path} is held in memory only, which excludes ${what}`, {
    hint: `The rule says so: 'tidegate freshness remove ${rule.pattern}${rule.model === null ? "" : ` --model ${rule.model}`}'.`,
  });
}

/** True where the rule is about the account at `path`, whose device is of `model`. */
export function covers(
  rule: Pick<FreshnessRuleRow, "pattern" | "model">,
  { path, model }: { readonly path: string; readonly model: string },
): boolean {
  return (rule.model === null || rule.model === model) && patternMatches(parsePattern(rule.pattern), path.split("/"));
}

async function requireModel(tx: VaultTransaction, name: string): Promise<void> {
  const model = await tx.selectFrom("models").select("name").where("name", "=", name).executeTakeFirst();
  if (model !== undefined) return;
  throw new RegistryError("REGISTRY_NOT_FOUND", `no device here is of model ${name}`, {
    hint: "Add a device of it first; 'tidegate device list' says which models there are.",
  });
}

type Covered = Pick<AccountRow, "path" | "rotate">;

async function coveredBy(tx: VaultTransaction, scope: FreshnessScope): Promise<Covered[]> {
  const accounts = await tx
    .selectFrom("accounts")
    .innerJoin("devices", "devices.device_id", "accounts.device_id")
    .select(["accounts.path", "accounts.rotate", "devices.model"])
    .orderBy("accounts.path")
    .execute();
  return accounts.filter((account) => covers(scope, account));
}

/** A rotation's intent must lie on the edge's disk before a device is touched: what is rotated cannot be held in memory only. */
function refuseRotated(covered: readonly Covered[]): void {
  const found = covered.find(({ rotate }) => rotate !== "never");
  if (found === undefined) return;
  throw new RegistryError("REGISTRY_MEMORY_ONLY", `${found.path} is rotated, and so cannot be held in memory only`, {
    hint: `'tidegate device set ${found.path} --rotate never', or a narrower pattern. A gateway alone can: memoryOnly in its tidegate.yaml.`,
  });
}

function isOf(rule: FreshnessRuleRow, { pattern, model }: FreshnessScope): boolean {
  return rule.pattern === pattern && rule.model === model;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
