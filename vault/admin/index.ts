export type { AdminContext } from "./admin-context.ts";
export { backupRoute } from "./backup-routes.ts";
export { vaultRoutes } from "./vault-routes.ts";
