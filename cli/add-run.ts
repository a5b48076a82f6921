import type { Command } from "commander";
import type { NodeRole } from "../agent/data-folder/index.ts";
import { type CommandModule, type Frame, type UnlockOptions, withUnlock } from "./frame/index.ts";

/** What `tidegate ROLE run` was called with. */
export interface RunInput {
  readonly frame: Frame;
  readonly role: NodeRole;
  readonly options: UnlockOptions;
  /** Of Tidegate. */
  readonly version: string;
}

type Run = (input: RunInput) => Promise<void>;

/** `tidegate ROLE run`: the node in the foreground, until it is told to stop. */
export function addRun(parent: Command, frame: Frame, role: NodeRole, run: Run): Command {
  return withUnlock(parent.command("run"))
    .description(`run this ${role} in the foreground until it is stopped`)
    .action((options: UnlockOptions) => run({ frame, role, options, version: parent.parent?.version() ?? "unknown" }));
}

/** {@link addRun} and no other command: a node that starts has no time to describe them to itself. */
export function onlyRun(role: NodeRole, run: Run): CommandModule {
  return (program, frame) => void addRun(program.command(role), frame, role, run);
}
