import { commandModules } from "./commands/index.ts";
import { startCommand } from "./start-command.ts";

await startCommand(commandModules);
