import type { CommandModule } from "../frame/index.ts";

const nodeCommands: Readonly<Record<string, () => Promise<CommandModule>>> = {
  vault: async () => (await import("./vault.ts")).vaultCommand,
  gateway: async () => (await import("./gateway.ts")).gatewayCommand,
  edge: async () => (await import("./edge.ts")).edgeCommand,
};

/** The areas that these words may need: a node that starts has no time to load the others and to describe them to itself. */
export async function modulesFor([area = "", action]: readonly string[]): Promise<readonly CommandModule[]> {
  const own = action === "run" && Object.hasOwn(nodeCommands, area) ? nodeCommands[area] : undefined;
  return own === undefined ? (await import("./all.ts")).commandModules : [await own()];
}
