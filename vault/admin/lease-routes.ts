import { z } from "zod";
import { type AdminRoute, adminRoute } from "../../agent/admin/index.ts";
import { fromHex, toHex } from "../../protocol/base/index.ts";
import { grantLease, openLeases, revokeLease } from "../registry/index.ts";
import type { AccessLeaseRow, VaultTransaction } from "../store/index.ts";
import { type AdminContext, change } from "./admin-context.ts";
import { pattern, segment } from "./input-shapes.ts";
import { longestLeaseS } from "./limits.ts";

const lease = z.strictObject({
  application: segment,
  pattern,
  forS: z.int().min(60).max(longestLeaseS),
});

/** A lease, or its end, may reach any account. */
const anyAccount = { zone: null, paths: null };

/** Grants with an end. */
export function leaseRoutes(context: AdminContext): AdminRoute[] {
  const { core } = context;
  return [
    adminRoute({
      method: "POST",
      path: "/v1/leases",
      body: lease,
      handle: ({ body }) =>
        change(context, anyAccount, async (registry, tx) => {
          const granted = await grantLease(registry, tx, body);
          return { ...describeLease(granted.lease, body.application), rotatedAtEnd: granted.rotated };
        }),
    }),
    adminRoute({
      method: "GET",
      path: "/v1/leases",
      handle: () => core.store.read((tx) => listLeases(tx, core.clock.wallMs())),
    }),
    adminRoute({
      method: "DELETE",
      path: "/v1/leases/:id",
      handle: ({ params }) =>
        change(context, anyAccount, async (registry, tx) => {
          const id = fromHex(params["id"] ?? "") ?? new Uint8Array(0);
          await revokeLease(registry, tx, id);
          return { leaseId: toHex(id) };
        }),
    }),
  ];
}

async function listLeases(tx: VaultTransaction, nowMs: number) {
  const leases = await openLeases({ nowMs: () => nowMs }, tx);
  const names = await tx.selectFrom("applications").select(["app_id", "name"]).execute();
  const byId = new Map(names.map(({ app_id, name }) => [toHex(app_id), name]));
  return leases.map((each) => describeLease(each, byId.get(toHex(each.app_id)) ?? ""));
}

function describeLease(row: AccessLeaseRow, application: string) {
  return {
    leaseId: toHex(row.lease_id),
    application,
    pattern: row.pattern,
    notBeforeMs: row.not_before * 1000,
    notAfterMs: row.not_after * 1000,
  };
}
