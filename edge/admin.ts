import { createAdminServer } from "../agent/admin/index.ts";
import type { Log } from "../agent/log/index.ts";
import { adminRoutes } from "./admin-routes.ts";
import type { EdgeParts } from "./parts.ts";
import { siteRoutes } from "./site-routes.ts";

/** Opens the admin socket. A module of its own, loaded after reads are served: its HTTP framework costs a tenth of a second. */
export function openAdmin(socketPath: string, parts: EdgeParts, log: Log): Promise<{ close(): Promise<void> }> {
  return createAdminServer({ socketPath, routes: [...adminRoutes(parts), ...siteRoutes(parts)], log });
}
