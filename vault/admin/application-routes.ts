import { z } from "zod";
import { type AdminRoute, adminRoute } from "../../agent/admin/index.ts";
import { addApplication, grant, issueToken, nodeNamed, revokeGrant, setDisabled } from "../registry/index.ts";
import type { VaultTransaction } from "../store/index.ts";
import { type AdminContext, change } from "./admin-context.ts";
import { pattern, segment } from "./input-shapes.ts";

const application = z.strictObject({
  name: segment,
  uid: z.int().min(0).max(0xffff_fffe).nullable().default(null),
  /** Name of the only node that serves it. */
  node: segment.nullable().default(null),
  /** A person reads with its token. */
  person: z.boolean().default(false),
});

/** A grant, or its end, may reach any account. */
const anyAccount = { zone: null, paths: null };
/** The application itself is told anew, what it reads stays. */
const noAccount = { zone: null, paths: [] };

/** Applications, their grants and tokens. */
export function applicationRoutes(context: AdminContext): AdminRoute[] {
  const named = (params: Record<string, string>) => params["name"] ?? "";
  return [
    adminRoute({
      method: "POST",
      path: "/v1/applications",
      body: application,
      handle: ({ body }) =>
        change(context, noAccount, async (registry, tx) => {
          const node = body.node === null ? null : await nodeNamed(tx, body.node);
          const { name, uid, person } = body;
          await addApplication(registry, tx, { name, uid, person, nodeId: node?.node_id ?? null });
          return { name: body.name };
        }),
    }),
    adminRoute({ method: "GET", path: "/v1/applications", handle: () => context.core.store.read(listApplications) }),
    adminRoute({
      method: "POST",
      path: "/v1/applications/:name/grants",
      body: z.strictObject({ pattern }),
      handle: ({ params, body }) =>
        change(context, anyAccount, async (registry, tx) => ({
          name: named(params),
          added: await grant(registry, tx, named(params), body.pattern),
        })),
    }),
    adminRoute({
      method: "DELETE",
      path: "/v1/applications/:name/grants",
      query: z.strictObject({ pattern }),
      handle: ({ params, query }) =>
        change(context, anyAccount, async (registry, tx) => {
          await revokeGrant(registry, tx, named(params), query.pattern);
          return { name: named(params) };
        }),
    }),
    adminRoute({
      method: "POST",
      path: "/v1/applications/:name/token",
      handle: ({ params }) =>
        change(context, noAccount, async (registry, tx) => {
          const token = await issueToken(registry, tx, named(params));
          const text = token.use((bytes) => Buffer.from(bytes).toString("utf8"));
          token.wipe();
          return { name: named(params), token: text };
        }),
    }),
    adminRoute({
      method: "PUT",
      path: "/v1/applications/:name/disabled",
      body: z.strictObject({ disabled: z.boolean() }),
      handle: ({ params, body }) =>
        change(context, anyAccount, async (registry, tx) => {
          await setDisabled(registry, tx, named(params), body.disabled);
          return { name: named(params), disabled: body.disabled };
        }),
    }),
  ];
}

async function listApplications(tx: VaultTransaction) {
  const rows = await tx
    .selectFrom("applications")
    .leftJoin("nodes", "nodes.node_id", "applications.node_id")
    .select(["app_id", "applications.name", "uid", "disabled", "token_hash", "person", "nodes.name as node"])
    .orderBy("applications.name")
    .execute();
  const grants = await tx.selectFrom("grants").selectAll().orderBy("pattern").execute();
  return rows.map((row) => ({
    name: row.name,
    node: row.node,
    uid: row.uid,
    disabled: row.disabled === 1,
    person: row.person === 1,
    hasToken: row.token_hash !== null,
    grants: grants.filter((each) => Buffer.compare(each.app_id, row.app_id) === 0).map((each) => each.pattern),
  }));
}
