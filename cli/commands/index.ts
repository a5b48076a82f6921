import type { CommandModule } from "../frame/index.ts";
import { auditCommand } from "./audit.ts";
import { getCommand } from "./get.ts";
import { modelCommand } from "./model.ts";

/** One line an area. A module only describes its commands; what they run is imported when they run. */
export const commandModules: readonly CommandModule[] = [auditCommand, getCommand, modelCommand];
