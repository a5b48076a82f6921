import { isAbsolute } from "node:path";
import { z } from "zod";
import { type AdminRoute, adminRoute } from "../../agent/admin/index.ts";
import type { DataFolder } from "../../agent/data-folder/index.ts";
import { writeBackup } from "../backup/index.ts";
import type { VaultCore } from "../streams/index.ts";
import { longestPath } from "./limits.ts";

const backup = z.strictObject({ path: z.string().min(1).max(longestPath).refine(isAbsolute, "an absolute path") });

/** Writes a backup of the running vault where its process may write. */
export function backupRoute(core: VaultCore, folder: DataFolder): AdminRoute {
  return adminRoute({
    method: "POST",
    path: "/v1/backup",
    body: backup,
    handle: ({ body }) => writeBackup(core, folder, body.path),
  });
}
