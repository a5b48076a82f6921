import { createAdminServer } from "../agent/admin/index.ts";
import { auditCopyRoutes, MediaDesk, mediaRoutes, memberExport } from "../agent/custody/index.ts";
import type { Log } from "../agent/log/index.ts";
import type { Seams } from "../agent/seams/index.ts";
import { adminRoutes } from "./admin-routes.ts";
import { type GatewayPostOptions, gatewayPost } from "./media.ts";
import type { GatewayParts } from "./parts.ts";

/** Opens the admin socket. A module of its own, loaded after reads are served: its HTTP framework costs a tenth of a second. */
export function openAdmin(
  socketPath: string,
  parts: GatewayParts & GatewayPostOptions,
  { log, seams }: { readonly log: Log; readonly seams: Pick<Seams, "random"> },
): Promise<{ close(): Promise<void> }> {
  const media = [
    ...mediaRoutes(new MediaDesk(gatewayPost(parts), seams)),
    ...auditCopyRoutes(memberExport("gateway", parts), seams.random),
  ];
  return createAdminServer({ socketPath, routes: [...adminRoutes(parts), ...media], log });
}
