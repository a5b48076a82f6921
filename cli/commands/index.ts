import type { CommandModule } from "../frame/index.ts";
import { getCommand } from "./get.ts";

/** One line an area. A module only describes its commands; what they run is imported when they run. */
export const commandModules: readonly CommandModule[] = [getCommand];
