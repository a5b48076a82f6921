import type { z } from "zod";
import { loadConfigOf } from "../agent/config/index.ts";
import { type DataFolder, openDataFolder } from "../agent/data-folder/index.ts";
import type { Unlock } from "../agent/seal-key/index.ts";
import { machineSeams, type Seams } from "../agent/seams/index.ts";
import type { RunInput } from "./add-run.ts";
import { dataPath, keepTickShape, openingUnlock } from "./frame/index.ts";

/** How a role's node is checked and started. */
interface NodeModule<Config> {
  readonly schema: z.ZodType<Config>;
  start(
    node: { readonly folder: DataFolder; readonly config: Config; readonly version: string },
    seams: Seams,
    unlock: Unlock,
  ): Promise<{ close(): Promise<void> }>;
}

/** Starts the node and resolves when it was told to stop and has. Throws DATA_*, CONFIG_*, and what its start throws. */
export async function runNode<Config>(node: RunInput & NodeModule<Config>): Promise<void> {
  const { frame, role, options, version, schema } = node;
  await keepTickShape();
  if (role === "edge") await keepSmall();
  const folder = openDataFolder(dataPath(frame, role, options));
  const config = loadConfigOf(folder.config, schema, role);
  const unlock = await openingUnlock(frame, folder, options);
  const stopped = frame.untilStopped();
  const running = await node.start({ folder, config, version }, machineSeams(), unlock);
  if (unlock.kind === "passphrase") unlock.passphrase.wipe();
  frame.output.say(`${role} runs; data in ${folder.path}`);
  frame.output.say(`stopping (${await stopped})`);
  await running.close();
}

/** Edges run on small machines: left alone, the young generation grows to 30 MB while the code is loaded and stays there. */
async function keepSmall(): Promise<void> {
  const { setFlagsFromString } = await import("node:v8");
  setFlagsFromString("--semi-space-growth-factor=1");
}
