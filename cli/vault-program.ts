import { onlyRun } from "./add-run.ts";
import { runVault } from "./run-vault.ts";
import { startCommand } from "./start-command.ts";

// `tidegate vault run` alone.
await startCommand([onlyRun("vault", runVault)]);
