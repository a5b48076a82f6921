import { z } from "zod";
import { type AdminRoute, adminRoute } from "../../agent/admin/index.ts";
import type { CandidateIndex } from "../../protocol/rotation/index.ts";
import { beginProbe, candidatesOf, endProbe, revealVersions } from "../recovery/index.ts";
import { type AdminContext, change, changeOfAccount } from "./admin-context.ts";
import { path } from "./input-shapes.ts";
import { longestLockoutMs, maxRecoveredVersions } from "./limits.ts";

const version = z.string().regex(/^\d{1,15}\.\d{1,15}$/, "epoch.number");

const begin = z.strictObject({
  path,
  version,
  limit: z.int().min(1).max(10),
  windowMs: z.int().min(0).max(longestLockoutMs),
  locks: z.boolean(),
  shared: z.boolean(),
  edgeOffForMs: z.int().min(0).max(longestLockoutMs).default(0),
});

const end = z.strictObject({
  path,
  version,
  outcome: z.enum(["OK", "REJECTED_AUTH", "REJECTED_POLICY", "NOT_SENT", "AMBIGUOUS"]),
  spent: z.boolean(),
  says: z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/, "a code"),
});

/** What is known of a device whose edge is gone: its candidates, their values, and logins within its attempt budget. */
export function recoveryRoutes(context: AdminContext): AdminRoute[] {
  const { core } = context;
  return [
    adminRoute({
      method: "GET",
      path: "/v1/credentials/candidates",
      query: z.strictObject({ path }),
      handle: ({ query }) => core.store.read((tx) => candidatesOf(core, tx, query.path)),
    }),
    adminRoute({
      method: "POST",
      path: "/v1/credentials/recover",
      body: z.strictObject({ path, versions: z.array(version).min(1).max(maxRecoveredVersions).nullable().default(null) }),
      handle: ({ body }) => core.store.transaction((tx) => revealVersions(core, tx, body.path, body.versions)),
    }),
    adminRoute({
      method: "POST",
      path: "/v1/credentials/probe/begin",
      body: begin,
      handle: ({ body }) => core.store.transaction((tx) => beginProbe(core, tx, { ...body, index: indexOf(body.version) })),
    }),
    adminRoute({
      method: "POST",
      path: "/v1/credentials/probe/end",
      body: end,
      handle: ({ body }) =>
        change(context, changeOfAccount(body.path), async (_registry, tx) => {
          await endProbe(core, tx, { ...body, index: indexOf(body.version) });
          return { path: body.path, version: body.version };
        }),
    }),
  ];
}

function indexOf(text: string): CandidateIndex {
  const [epoch = 0, number = 0] = text.split(".").map(Number);
  return [epoch, number];
}
