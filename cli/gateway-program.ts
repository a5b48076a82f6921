import { onlyRun } from "./add-run.ts";
import { runGateway } from "./run-gateway.ts";
import { startCommand } from "./start-command.ts";

// `tidegate gateway run` alone.
await startCommand([onlyRun("gateway", runGateway)]);
