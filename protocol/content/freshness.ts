import { type FreshnessContent, stalePolicies } from "./content.ts";
import { parsePattern, patternMatches } from "./pattern.ts";

/** What holds for one path. */
export type Freshness = Pick<FreshnessContent, "staleAfterS" | "whenStale" | "ttlS">;

/** The rules of a state, read once. Those of one path each are looked up: the vault may send one for each account of a model. */
export class FreshnessRules {
  readonly #byPath = new Map<string, FreshnessContent[]>();
  readonly #wide: { readonly pattern: readonly string[]; readonly rule: FreshnessContent }[] = [];
  /** True where some rule keeps values off the disk. */
  readonly anyMemoryOnly: boolean;

  constructor(rules: Iterable<FreshnessContent>) {
    let anyMemoryOnly = false;
    for (const rule of rules) {
      anyMemoryOnly ||= rule.memoryOnly;
      const pattern = parsePattern(rule.pattern);
      if (pattern.includes("*") || pattern.includes("**")) this.#wide.push({ pattern, rule });
      else this.#byPath.set(rule.pattern, [...(this.#byPath.get(rule.pattern) ?? []), rule]);
    }
    this.anyMemoryOnly = anyMemoryOnly;
  }

  /** What holds for a path: of several rules the strictest in each point; null where there is none. */
  at(path: string): Freshness | null {
    const rules = this.#of(path);
    if (rules.length === 0) return null;
    const strictest = Math.max(...rules.map(({ whenStale }) => stalePolicies.indexOf(whenStale)));
    return {
      staleAfterS: least(rules.map(({ staleAfterS }) => staleAfterS)),
      whenStale: stalePolicies[strictest] ?? "deny",
      ttlS: least(rules.map(({ ttlS }) => ttlS)),
    };
  }

  /** True where the values of this path must not lie on a node's disk. */
  memoryOnly(path: string): boolean {
    return this.anyMemoryOnly && this.#of(path).some((rule) => rule.memoryOnly);
  }

  #of(path: string): readonly FreshnessContent[] {
    const exact = this.#byPath.get(path) ?? [];
    if (this.#wide.length === 0) return exact;
    const segments = path.split("/");
    return [...exact, ...this.#wide.filter(({ pattern }) => patternMatches(pattern, segments)).map(({ rule }) => rule)];
  }
}

function least(values: readonly (number | null)[]): number | null {
  const set = values.filter((value) => value !== null);
  return set.length === 0 ? null : Math.min(...set);
}
