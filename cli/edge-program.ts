import { onlyRun } from "./add-run.ts";
import { runEdge } from "./run-edge.ts";
import { startCommand } from "./start-command.ts";

// `tidegate edge run` alone.
await startCommand([onlyRun("edge", runEdge)]);
