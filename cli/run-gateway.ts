import { gatewayConfigSchema as schema, start } from "../gateway/index.ts";
import type { RunInput } from "./add-run.ts";
import { runNode } from "./run-node.ts";

/** Runs a gateway until it is told to stop. Throws what its start throws. */
export const runGateway = (input: RunInput): Promise<void> => runNode({ ...input, schema, start });
