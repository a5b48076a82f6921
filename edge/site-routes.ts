import { z } from "zod";
import { type AdminRoute, adminRoute } from "../agent/admin/index.ts";
import { dryRun } from "./dry-run.ts";
import { EdgeError } from "./errors.ts";
import type { EdgeParts } from "./parts.ts";
import type { Account } from "./rotation/index.ts";

/** What people on the segment decided. */
export interface SiteStatus {
  readonly requirePermit: boolean;
  readonly permitLeftS: number;
  /** Devices that are held here, as zone/device. */
  readonly held: readonly { readonly device: string; readonly reason: string }[];
}

type DeviceSpec = NonNullable<Account["device"]>;

const reasonBytes = 256;
const longestPermitS = 86_400;
const devicePath = z.string().regex(/^[^/]+\/[^/]+$/, "zone/device");
const reason = z
  .string()
  .refine(
    (text) => !/\p{Cc}/u.test(text) && Buffer.byteLength(text) <= reasonBytes,
    `one line of at most ${reasonBytes} bytes`,
  );

/** Holds and permits that are decided on the segment, and what a rotation would meet. */
export function siteRoutes(parts: EdgeParts): AdminRoute[] {
  const { site, engine } = parts;
  return [
    adminRoute({ method: "GET", path: "/v1/site", handle: () => siteStatus(parts) }),
    adminRoute({
      method: "POST",
      path: "/v1/site/hold",
      body: z.strictObject({ path: devicePath, reason: reason.default("") }),
      handle({ body }) {
        site.hold(deviceAt(parts, body.path), body.reason);
        return siteStatus(parts);
      },
    }),
    adminRoute({
      method: "POST",
      path: "/v1/site/release",
      body: z.strictObject({ path: devicePath, reason: reason.default("") }),
      handle({ body }) {
        if (!site.release(deviceAt(parts, body.path), body.reason))
          throw new EdgeError("EDGE_NOT_HELD_HERE", `${body.path} is not held on this segment`);
        engine.reconsider();
        return siteStatus(parts);
      },
    }),
    adminRoute({
      method: "POST",
      path: "/v1/site/permit",
      body: z.strictObject({ forS: z.int().min(0).max(longestPermitS) }),
      handle({ body }) {
        site.permit(body.forS * 1000);
        engine.reconsider();
        return siteStatus(parts);
      },
    }),
    adminRoute({
      method: "GET",
      path: "/v1/rotations/dry-run",
      query: z.strictObject({ path: z.string().min(1).max(512) }),
      handle({ query }) {
        const account = parts.credentials.accountAt(query.path);
        if (account === null) throw new EdgeError("EDGE_UNKNOWN_ACCOUNT", "this edge has no account of that path");
        return dryRun(parts, account);
      },
    }),
  ];
}

/** Holds and permits of this segment. */
export function siteStatus(parts: Pick<EdgeParts, "engine" | "site">): SiteStatus {
  const { site } = parts;
  const held = [...devices(parts)].flatMap(([device, spec]) => {
    const why = site.heldFor(spec);
    return why === null ? [] : [{ device, reason: why }];
  });
  return { requirePermit: site.requirePermit, permitLeftS: Math.ceil(site.permitLeftMs() / 1000), held };
}

function deviceAt(parts: Pick<EdgeParts, "engine">, path: string): DeviceSpec {
  const found = devices(parts).get(path);
  if (found === undefined) throw new EdgeError("EDGE_UNKNOWN_DEVICE", "this edge has no device of that path");
  return found;
}

function devices({ engine }: Pick<EdgeParts, "engine">): ReadonlyMap<string, DeviceSpec> {
  const specs = [...engine.accounts.values()].flatMap(({ device }) => (device === null ? [] : [device]));
  return new Map(specs.map((device) => [`${device.content.zone}/${device.content.name}`, device]));
}
