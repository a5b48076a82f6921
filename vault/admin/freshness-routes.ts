import { z } from "zod";
import { type AdminRoute, adminRoute } from "../../agent/admin/index.ts";
import { contentLimits, stalePolicies } from "../../protocol/content/index.ts";
import { allFreshness, removeFreshness, setFreshness } from "../registry/index.ts";
import { type AdminContext, change } from "./admin-context.ts";
import { pattern } from "./input-shapes.ts";

const silence = z.int().min(1).max(contentLimits.silenceS).nullable().default(null);

const rule = z
  .strictObject({ pattern, staleAfterS: silence, whenStale: z.enum(stalePolicies), ttlS: silence })
  .refine(({ staleAfterS, ttlS }) => staleAfterS !== null || ttlS !== null, "a rule has staleAfterS, ttlS or both");

/** A rule concerns no value. */
const noAccount = { zone: null, paths: [] };

/** How long values may be read without the vault. */
export function freshnessRoutes(context: AdminContext): AdminRoute[] {
  return [
    adminRoute({
      method: "PUT",
      path: "/v1/freshness",
      body: rule,
      handle: ({ body }) =>
        change(context, noAccount, async (registry, tx) => {
          await setFreshness(registry, tx, body);
          return body;
        }),
    }),
    adminRoute({
      method: "GET",
      path: "/v1/freshness",
      handle: () =>
        context.core.store.read(async (tx) =>
          (await allFreshness(tx)).map((row) => ({
            pattern: row.pattern,
            staleAfterS: row.stale_after_s,
            whenStale: row.when_stale,
            ttlS: row.ttl_s,
          })),
        ),
    }),
    adminRoute({
      method: "DELETE",
      path: "/v1/freshness",
      query: z.strictObject({ pattern }),
      handle: ({ query }) =>
        change(context, noAccount, async (registry, tx) => {
          await removeFreshness(registry, tx, query.pattern);
          return { pattern: query.pattern };
        }),
    }),
  ];
}
