import { z } from "zod";
import { type AdminRoute, adminRoute } from "../../agent/admin/index.ts";
import { deviceAt, dryRun, holdDevice } from "../registry/index.ts";
import { type AdminContext, change } from "./admin-context.ts";
import { describeDevice } from "./device-routes.ts";
import { line, path } from "./input-shapes.ts";
import { reasonBytes } from "./limits.ts";

const hold = z.strictObject({ reason: line(reasonBytes).default("") });

/** Holds of devices, and what an order would meet. */
export function careRoutes(context: AdminContext): AdminRoute[] {
  const { core } = context;
  const holds = [true, false].map((held) =>
    adminRoute({
      method: "POST",
      path: `/v1/devices/:zone/:name/${held ? "hold" : "release"}`,
      body: hold,
      handle: ({ params, body }) =>
        change(context, { zone: params["zone"] ?? "", paths: [] }, async (registry, tx) => {
          const found = await deviceAt(tx, params["zone"] ?? "", params["name"] ?? "");
          const device = await holdDevice(registry, tx, found, { held, reason: body.reason });
          return describeDevice(tx, device, registry.nowMs());
        }),
    }),
  );
  return [
    ...holds,
    adminRoute({
      method: "GET",
      path: "/v1/dry-run",
      query: z.strictObject({ path }),
      handle: ({ query }) =>
        core.store.read(async (tx) => {
          const { device, ...run } = await dryRun({ seal: core.seal, nowMs: () => core.clock.wallMs() }, tx, query.path);
          return { ...run, device: await describeDevice(tx, device, core.clock.wallMs()) };
        }),
    }),
  ];
}
