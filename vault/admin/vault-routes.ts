import type { AdminRoute } from "../../agent/admin/index.ts";
import { MediaDesk, mediaRoutes } from "../../agent/custody/index.ts";
import { vaultPost } from "../media/index.ts";
import type { AdminContext } from "./admin-context.ts";
import { applicationRoutes } from "./application-routes.ts";
import { careRoutes } from "./care-routes.ts";
import { credentialRoutes } from "./credential-routes.ts";
import { deviceRoutes } from "./device-routes.ts";
import { escrowRoutes } from "./escrow-routes.ts";
import { fleetRoutes } from "./fleet-routes.ts";
import { freshnessRoutes } from "./freshness-routes.ts";
import { groupRoutes } from "./group-routes.ts";
import { leaseRoutes } from "./lease-routes.ts";
import { metricsRoute } from "./metrics-route.ts";
import { nodeRoutes } from "./node-routes.ts";
import { recoveryRoutes } from "./recovery-routes.ts";

/** Every call of the vault's admin API but the audit log's. */
export function vaultRoutes(context: AdminContext): AdminRoute[] {
  return [
    metricsRoute(context),
    ...nodeRoutes(context),
    ...deviceRoutes(context),
    ...careRoutes(context),
    ...credentialRoutes(context),
    ...recoveryRoutes(context),
    ...escrowRoutes(context),
    ...applicationRoutes(context),
    ...leaseRoutes(context),
    ...freshnessRoutes(context),
    ...fleetRoutes(context),
    ...groupRoutes(context),
    ...mediaRoutes(new MediaDesk(vaultPost(context), context.core)),
  ];
}
