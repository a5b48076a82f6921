import { z } from "zod";
import { type AdminRoute, adminRoute } from "../../agent/admin/index.ts";
import { maxGroupMembers } from "../../protocol/rotation/index.ts";
import { addGroup, listGroups, removeGroup } from "../registry/index.ts";
import { type AdminContext, change } from "./admin-context.ts";
import { path, segment } from "./input-shapes.ts";

const group = z.strictObject({ name: segment, paths: z.array(path).min(1).max(maxGroupMembers) });

/** Groups of accounts that change together. */
export function groupRoutes(context: AdminContext): AdminRoute[] {
  const { core } = context;
  return [
    adminRoute({ method: "GET", path: "/v1/groups", handle: () => core.store.read((tx) => listGroups(tx)) }),
    adminRoute({
      method: "POST",
      path: "/v1/groups",
      body: group,
      handle: ({ body }) => {
        const zone = body.paths[0]?.split("/", 1)[0] ?? null;
        return change(context, { zone, paths: body.paths }, (registry, tx) => addGroup(registry, tx, body));
      },
    }),
    adminRoute({
      method: "DELETE",
      path: "/v1/groups/:name",
      handle: ({ params }) =>
        // Any account may have been a member.
        change(context, { zone: null, paths: null }, async (registry, tx) => ({
          removed: params["name"] ?? "",
          zone: await removeGroup(registry, tx, params["name"] ?? ""),
        })),
    }),
  ];
}
