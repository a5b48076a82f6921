import { z } from "zod";
import { type AdminRoute, adminRoute } from "../admin/index.ts";
import { maxLeavesPerCall } from "./limits.ts";

/** What the route needs of a log: gateway and edge answer at once, the vault later. */
export interface AuditRouteSource {
  head(): { readonly serial: number; readonly size: number } | Promise<{ readonly serial: number; readonly size: number }>;
  leaves(from: number, limit: number): Uint8Array[] | Promise<Uint8Array[]>;
  eventsSinceAnchor(): number | Promise<number>;
}

/** Answer of `GET /v1/audit`. */
export interface AuditPage {
  readonly serial: number;
  /** Leaves in the log. */
  readonly size: number;
  /** Leaves that no other party vouches for yet. */
  readonly eventsSinceAnchor: number;
  /** Index of the first leaf below. */
  readonly from: number;
  /** Each leaf's exact text. */
  readonly leaves: readonly string[];
}

const whole = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,15})$/, "a whole number")
  .transform(Number);
const query = z.strictObject({ from: whole.optional(), limit: whole.optional() });

/**
 * `GET /v1/audit?from=&limit=`: leaves from an index on; without `from` the newest. The admin socket is the node's owner's only, and
 * leaves hold no secrets.
 */
export function auditRoute(source: AuditRouteSource): AdminRoute {
  return adminRoute({
    method: "GET",
    path: "/v1/audit",
    query,
    async handle({ query: { from, limit = 100 } }): Promise<AuditPage> {
      const { serial, size } = await source.head();
      const count = Math.min(limit, maxLeavesPerCall);
      const begin = Math.min(from ?? Math.max(0, size - count), size);
      const leaves = count === 0 ? [] : await source.leaves(begin, count);
      return {
        serial,
        size,
        eventsSinceAnchor: await source.eventsSinceAnchor(),
        from: begin,
        leaves: leaves.map((leaf) => Buffer.from(leaf).toString("latin1")),
      };
    },
  });
}
