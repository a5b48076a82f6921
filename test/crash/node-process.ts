// A vault, gateway or edge as a process of the crash rig: `node node-process.ts ROLE FOLDER [FAILPOINT]`. It runs the node as the
// command line does, but where its failpoint is passed that was armed, by the third argument or by the parent's message, it kills itself.
import { existsSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { join } from "node:path";
import { loadConfig } from "../../agent/config/index.ts";
import { openDataFolder } from "../../agent/data-folder/index.ts";
import type { Unlock } from "../../agent/seal-key/index.ts";
import { machineSeams, type Seams } from "../../agent/seams/index.ts";
import type { Armed, ArmMessage, NodeAnswer } from "./messages.ts";

const version = "crash rig";
const [role = "", path = "", armedAtStart] = process.argv.slice(2);
let armed: Armed | null = armedAtStart === undefined ? null : { failpoint: armedAtStart, skip: 0 };

/** Nothing of this process runs on after it. */
function failpoint(name: string): void {
  if (armed?.failpoint !== name) return;
  armed = { ...armed, skip: armed.skip - 1 };
  if (armed.skip >= 0) return;
  process.kill(process.pid, "SIGKILL");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

async function startNode(seams: Seams): Promise<{ close(): Promise<void> }> {
  const folder = openDataFolder(path);
  const keyFile = join(folder.keys, "key-file");
  if (!existsSync(keyFile)) throw new Error(`${path} has no key file`);
  const unlock: Unlock = { kind: "key-file", path: keyFile };
  if (role === "vault") {
    const { start, vaultConfigSchema } = await import("../../vault/index.ts");
    return start({ folder, config: loadConfig(folder.config, vaultConfigSchema), version }, seams, unlock);
  }
  if (role === "gateway") {
    const { gatewayConfigSchema, start } = await import("../../gateway/index.ts");
    return start({ folder, config: loadConfig(folder.config, gatewayConfigSchema), version }, seams, unlock);
  }
  const { edgeConfigSchema, start } = await import("../../edge/index.ts");
  return start({ folder, config: loadConfig(folder.config, edgeConfigSchema), version }, seams, unlock);
}

function answer(message: NodeAnswer): void {
  if (process.connected) process.send?.(message);
}

process.on("message", ({ arm }: ArmMessage) => {
  armed = arm;
  answer("armed");
});
// The parent decides; without one there is nobody left to serve.
process.on("SIGINT", () => {});
const machine = machineSeams();
/**
 * On gateways and edges a draw of two or three bytes is the chance in a back-off, which spreads many nodes out: of this plant each takes the
 * shortest wait. The vault draws passwords.
 */
const random: Seams["random"] = (length) =>
  role !== "vault" && (length === 2 || length === 3) ? new Uint8Array(length) : machine.random(length);
const node = await startNode({ ...machine, random, failpoint });
process.once("disconnect", () => void node.close().then(() => process.exit(0)));
answer("ready");
// A process that is killed leaves none behind otherwise.
flushCompileCache();
