import { z } from "zod";
import { type AdminRoute, adminRoute } from "../../agent/admin/index.ts";
import { fromHex, toHex } from "../../protocol/base/index.ts";
import {
  type FleetView,
  listRuns,
  mostCanaries,
  mostParallel,
  planRun,
  resume,
  runOf,
  startRun,
  stop,
  usualCanaries,
  usualParallel,
} from "../fleet/index.ts";
import { usualOrderS } from "../registry/index.ts";
import type { FleetRunRow } from "../store/index.ts";
import { type AdminContext, change } from "./admin-context.ts";
import { line, segment } from "./input-shapes.ts";
import { fleetFilters, longestOrderS } from "./limits.ts";

const patternLength = 320;

const fleet = z.strictObject({
  zones: z.array(segment).max(fleetFilters).default([]),
  models: z.array(line(128)).max(fleetFilters).default([]),
  paths: z.array(line(patternLength)).max(fleetFilters).default([]),
  exposedBy: segment.nullable().default(null),
  canaries: z.int().min(0).max(mostCanaries).default(usualCanaries),
  parallel: z.int().min(1).max(mostParallel).default(usualParallel),
  withinS: z.int().min(60).max(longestOrderS).default(usualOrderS),
  /** Answer what would be rotated, and order nothing. */
  dryRun: z.boolean().default(false),
});

/** Rotations of many accounts: canaries first, then the rest, a few in each zone at a time. */
export function fleetRoutes(context: AdminContext): AdminRoute[] {
  const { core } = context;
  const everywhere = { zone: null, paths: [] } as const;
  const idOf = (params: Readonly<Record<string, string>>) => fromHex(params["id"] ?? "") ?? new Uint8Array(0);
  return [
    adminRoute({
      method: "POST",
      path: "/v1/fleet",
      body: fleet,
      handle: async ({ body: { dryRun, ...input } }) => {
        if (dryRun) return { members: await core.store.read((tx) => planRun(tx, input)) };
        return change(context, everywhere, async (registry, tx) => {
          const { run } = await startRun(registry, tx, input);
          return describeRun(await runOf(tx, run.run_id, registry.nowMs()));
        });
      },
    }),
    adminRoute({
      method: "GET",
      path: "/v1/fleet",
      handle: () => core.store.read(async (tx) => (await listRuns(tx)).map(describeHead)),
    }),
    adminRoute({
      method: "GET",
      path: "/v1/fleet/:id",
      handle: ({ params }) =>
        core.store.read(async (tx) =>
          describeRun(await runOf(tx, params["id"] === "newest" ? null : idOf(params), core.clock.wallMs())),
        ),
    }),
    adminRoute({
      method: "POST",
      path: "/v1/fleet/:id/stop",
      handle: ({ params }) =>
        change(context, everywhere, async (registry, tx) => {
          const view = await runOf(tx, idOf(params), registry.nowMs());
          await stop(registry, tx, view);
          return describeRun(await runOf(tx, view.run.run_id, registry.nowMs()));
        }),
    }),
    adminRoute({
      method: "POST",
      path: "/v1/fleet/:id/resume",
      handle: ({ params }) =>
        change(context, everywhere, async (registry, tx) => {
          await resume(registry, tx, idOf(params));
          return describeRun(await runOf(tx, idOf(params), registry.nowMs()));
        }),
    }),
  ];
}

function describeHead(run: FleetRunRow) {
  return {
    fleetId: toHex(run.run_id),
    state: run.state,
    code: run.code,
    stoppedBy: run.stopped_by,
    parallel: run.parallel,
    exposedBy: run.exposed_by,
    createdAtMs: run.created_at,
    finishedAtMs: run.finished_at,
  };
}

function describeRun({ run, members }: FleetView) {
  return {
    ...describeHead(run),
    members: members.map(({ path, canary, state, code }) => ({ path, canary, state, code })),
  };
}
