import { callAdmin } from "../../agent/admin/index.ts";
import { type StalePolicy, stalePolicies } from "../../protocol/content/index.ts";
import { CliError, type CommandModule, dataPath, table, withData } from "../frame/index.ts";
import { secondsOf } from "./duration.ts";

interface Rule {
  readonly pattern: string;
  readonly model: string | null;
  readonly staleAfterS: number | null;
  readonly whenStale: string;
  readonly ttlS: number | null;
  readonly memoryOnly: boolean;
}

/** The vault's answer: the rule as it is kept. */
interface SetRule extends Rule {
  /** How many accounts it covers now. */
  readonly accounts: number;
  readonly replaced: Rule | null;
}

interface SetOptions {
  readonly data?: string;
  readonly staleAfter?: string;
  readonly whenStale: string;
  readonly ttl?: string;
  readonly model?: string;
  readonly memoryOnly?: true;
}

/** `tidegate freshness set | list | remove`: how long values may be read while the vault is silent. */
export const freshnessCommand: CommandModule = (program, frame) => {
  const freshness = program.command("freshness").description("how long values may be read while the vault is silent");
  withData(freshness.command("set <pattern>"))
    .description(
      "set the rule for a zone, a device, an account or a path pattern, in place of its earlier one; of several the strictest counts",
    )
    .option("--stale-after <time>", "silence of the vault from which on values are stale, such as 12h or 7d")
    .option("--when-stale <what>", `what is done with stale values: ${stalePolicies.join(", ")}`, "warn")
    .option("--ttl <time>", "silence after which nothing is served, also where a clock cannot exclude it")
    .option("--model <name>", "only accounts on devices of this model")
    .option("--memory-only", "no node writes the values to its disk: gone when it stops, asked for again when it starts")
    .action(async (pattern: string, options: SetOptions) => {
      if (!stalePolicies.includes(options.whenStale as StalePolicy))
        throw new CliError("CLI_USAGE", `--when-stale takes one of: ${stalePolicies.join(", ")}`);
      const rule: Rule = {
        pattern,
        model: options.model ?? null,
        staleAfterS: timeOf(options.staleAfter, "--stale-after"),
        whenStale: options.whenStale,
        ttlS: timeOf(options.ttl, "--ttl"),
        memoryOnly: options.memoryOnly === true,
      };
      if (rule.staleAfterS === null && rule.ttlS === null && !rule.memoryOnly)
        throw new CliError("CLI_USAGE", "a rule takes --stale-after, --ttl, --memory-only or several");
      const path = "/v1/freshness";
      const answer = await callAdmin(dataPath(frame, "vault", options), { method: "PUT", path, body: rule });
      frame.output.result(answer as SetRule, (set) => [`${covered(set)}: ${said(set)}`, ...notes(set, pattern)].join("\n"));
    });
  withData(freshness.command("list"))
    .description("list the rules")
    .action(async (options: { data?: string }) => {
      const all = await callAdmin(dataPath(frame, "vault", options), { method: "GET", path: "/v1/freshness" });
      frame.output.result(all as Rule[], (rules) =>
        table([["PATTERN", "MODEL", "RULE"], ...rules.map((rule) => [rule.pattern, rule.model ?? "any", said(rule)])]),
      );
    });
  withData(freshness.command("remove <pattern>"))
    .description("take a rule back")
    .option("--model <name>", "the one for devices of this model")
    .action(async (pattern: string, options: { data?: string; model?: string }) => {
      const query = new URLSearchParams({ pattern, ...(options.model === undefined ? {} : { model: options.model }) });
      const path = `/v1/freshness?${query}`;
      const answer = await callAdmin(dataPath(frame, "vault", options), { method: "DELETE", path });
      frame.output.result(answer, () => `${pattern} has no rule of its own any more`);
    });
};

function timeOf(text: string | undefined, option: string): number | null {
  if (text === undefined) return null;
  const seconds = secondsOf(text);
  if (seconds === null) throw new CliError("CLI_USAGE", `${option} takes a time such as 30m, 12h or 7d`);
  return seconds;
}

function covered({ pattern, model }: Rule): string {
  return model === null ? pattern : `${pattern} of model ${model}`;
}

/** What the person who typed the pattern may not expect. */
function notes(set: SetRule, typed: string): string[] {
  const { pattern, accounts, replaced } = set;
  const wide = pattern === typed ? [] : [`${typed} is no account: the rule covers every account below it`];
  const none = accounts > 0 ? [] : ["No account is covered by it yet; it counts as soon as one is registered"];
  const before = replaced === null || said(replaced) === said(set) ? [] : [`In place of: ${said(replaced)}`];
  return [...wide, ...none, ...before];
}

function said({ staleAfterS, whenStale, ttlS, memoryOnly }: Rule): string {
  const stale = staleAfterS === null ? [] : [`${whenStale} after ${staleAfterS} s of silence`];
  const ttl = ttlS === null ? [] : [`nothing is served after ${ttlS} s`];
  const memory = memoryOnly ? ["held in memory only"] : [];
  return [...stale, ...ttl, ...memory].join(", ");
}
