import { z } from "zod";
import { type AdminRoute, adminRoute } from "../../agent/admin/index.ts";
import { contentLimits, stalePolicies } from "../../protocol/content/index.ts";
import { allFreshness, removeFreshness, setFreshness } from "../registry/index.ts";
import type { FreshnessRuleRow } from "../store/index.ts";
import { type AdminContext, change } from "./admin-context.ts";
import { pattern } from "./input-shapes.ts";

const silence = z.int().min(1).max(contentLimits.silenceS).nullable().default(null);
const model = z.string().min(1).max(contentLimits.nameBytes);

const rule = z
  .strictObject({
    pattern,
    model: model.nullable().default(null),
    staleAfterS: silence,
    whenStale: z.enum(stalePolicies),
    ttlS: silence,
    memoryOnly: z.boolean().default(false),
  })
  .refine(
    ({ staleAfterS, ttlS, memoryOnly }) => staleAfterS !== null || ttlS !== null || memoryOnly,
    "a rule has staleAfterS, ttlS, memoryOnly or several",
  );

/** A rule concerns no value. */
const noAccount = { zone: null, paths: [] };

/** How long values may be read without the vault, and whether a node's disk may hold them. */
export function freshnessRoutes(context: AdminContext): AdminRoute[] {
  return [
    adminRoute({
      method: "PUT",
      path: "/v1/freshness",
      body: rule,
      handle: ({ body }) =>
        change(context, noAccount, async (registry, tx) => {
          const { pattern, accounts, replaced } = await setFreshness(registry, tx, body);
          return { ...body, pattern, accounts, replaced: replaced === null ? null : shown(replaced) };
        }),
    }),
    adminRoute({
      method: "GET",
      path: "/v1/freshness",
      handle: () => context.core.store.read(async (tx) => (await allFreshness(tx)).map(shown)),
    }),
    adminRoute({
      method: "DELETE",
      path: "/v1/freshness",
      query: z.strictObject({ pattern, model: model.optional() }),
      handle: ({ query }) =>
        change(context, noAccount, (registry, tx) =>
          removeFreshness(registry, tx, { pattern: query.pattern, model: query.model ?? null }),
        ),
    }),
  ];
}

function shown(row: FreshnessRuleRow) {
  return {
    pattern: row.pattern,
    model: row.model,
    staleAfterS: row.stale_after_s,
    whenStale: row.when_stale,
    ttlS: row.ttl_s,
    memoryOnly: row.memory_only === 1,
  };
}
