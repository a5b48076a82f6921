import { createAdminServer } from "../agent/admin/index.ts";
import { auditCopyRoutes, MediaDesk, mediaRoutes, memberExport } from "../agent/custody/index.ts";
import type { Log } from "../agent/log/index.ts";
import type { Seams } from "../agent/seams/index.ts";
import { adminRoutes } from "./admin-routes.ts";
import { edgePost } from "./media.ts";
import type { EdgeParts } from "./parts.ts";
import { siteRoutes } from "./site-routes.ts";

/** Opens the admin socket. A module of its own, loaded after reads are served: its HTTP framework costs a tenth of a second. */
export function openAdmin(
  socketPath: string,
  parts: EdgeParts,
  { log, seams }: { readonly log: Log; readonly seams: Pick<Seams, "random"> },
): Promise<{ close(): Promise<void> }> {
  const media = [
    ...mediaRoutes(new MediaDesk(edgePost(parts), seams)),
    ...auditCopyRoutes(memberExport("edge", parts), seams.random),
  ];
  return createAdminServer({ socketPath, routes: [...adminRoutes(parts), ...siteRoutes(parts), ...media], log });
}
