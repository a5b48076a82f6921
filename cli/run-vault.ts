import { vaultConfigSchema as schema, start } from "../vault/index.ts";
import type { RunInput } from "./add-run.ts";
import { runNode } from "./run-node.ts";

/** Runs a vault until it is told to stop. Throws what its start throws. */
export const runVault = (input: RunInput): Promise<void> => runNode({ ...input, schema, start });
