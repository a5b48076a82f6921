export type { AdminContext } from "./admin-context.ts";
export { vaultRoutes } from "./vault-routes.ts";
