import { type FreshnessContent, stalePolicies } from "./content.ts";
import { parsePattern, patternMatches } from "./pattern.ts";

/** What holds for one path. */
export type Freshness = Pick<FreshnessContent, "staleAfterS" | "whenStale" | "ttlS">;

/** The rules of a state, read once. */
export class FreshnessRules {
  readonly #rules: readonly { readonly pattern: readonly string[]; readonly rule: FreshnessContent }[];

  constructor(rules: Iterable<FreshnessContent>) {
    this.#rules = [...rules].map((rule) => ({ pattern: parsePattern(rule.pattern), rule }));
  }

  /** What holds for a path: of several rules the strictest in each point; null where there is none. */
  at(path: string): Freshness | null {
    if (this.#rules.length === 0) return null;
    const segments = path.split("/");
    const rules = this.#rules.filter(({ pattern }) => patternMatches(pattern, segments)).map(({ rule }) => rule);
    if (rules.length === 0) return null;
    const strictest = Math.max(...rules.map(({ whenStale }) => stalePolicies.indexOf(whenStale)));
    return {
      staleAfterS: least(rules.map(({ staleAfterS }) => staleAfterS)),
      whenStale: stalePolicies[strictest] ?? "deny",
      ttlS: least(rules.map(({ ttlS }) => ttlS)),
    };
  }
}

function least(values: readonly (number | null)[]): number | null {
  const set = values.filter((value) => value !== null);
  return set.length === 0 ? null : Math.min(...set);
}
