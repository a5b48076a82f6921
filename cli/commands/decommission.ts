import type { Command } from "commander";
import { CliError, dataPath, type Frame, openingUnlock, type UnlockOptions, withUnlock } from "../frame/index.ts";

interface DecommissionOptions extends UnlockOptions {
  readonly yes?: boolean;
  readonly force?: boolean;
  readonly reason: string;
}

/** `tidegate edge | gateway decommission`. */
export function addDecommission(program: Command, parent: Command, frame: Frame, role: "gateway" | "edge"): void {
  withUnlock(parent.command("decommission"))
    .description("make a node that does not run useless for ever: its keys are overwritten, its audit log stays")
    .option("--yes", "it cannot be undone")
    .option("--force", "though the vault has not acknowledged everything that the node has to say")
    .option("--reason <text>", "why; stands in the audit log", "operator")
    .action((options: DecommissionOptions) => run(program, frame, role, options));
}

async function run(program: Command, frame: Frame, role: "gateway" | "edge", options: DecommissionOptions): Promise<void> {
  if (options.yes !== true) throw new CliError("CLI_USAGE", "this cannot be undone: say --yes");
  const { openDataFolder } = await import("../../agent/data-folder/index.ts");
  const { createLog } = await import("../../agent/log/index.ts");
  const { decommission } = await import("../../agent/member/index.ts");
  const { machineSeams } = await import("../../agent/seams/index.ts");
  const folder = openDataFolder(dataPath(frame, role, options));
  const done = await decommission({
    folder,
    unlock: await openingUnlock(frame, folder, options),
    role,
    force: options.force === true,
    reason: options.reason.slice(0, 200),
    version: program.version() ?? "unknown",
    seams: machineSeams(),
    log: createLog({ level: "warn", node: role }),
  });
  frame.output.result(done, ({ name, statement }) => [
    `${name} is nobody any more: its keys are overwritten, and nothing of its store opens`,
    `its signed log is in ${statement}: tidegate audit verify ${statement}`,
    `next, at the vault: tidegate node revoke ${name} --reason decommissioned`,
    "Flash memory may keep old copies of the sealed key: under a passphrase they open for nobody, with a key file destroy the medium.",
  ]);
}
