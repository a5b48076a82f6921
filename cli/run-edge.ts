import { edgeConfigSchema as schema, start } from "../edge/index.ts";
import type { RunInput } from "./add-run.ts";
import { runNode } from "./run-node.ts";

/** Runs an edge until it is told to stop. Throws what its start throws. */
export const runEdge = (input: RunInput): Promise<void> => runNode({ ...input, schema, start });
