import { callAdmin, isNobodyThere } from "../../agent/admin/index.ts";
import { dataFolderAt, type NodeRole, readRunFile } from "../../agent/data-folder/index.ts";
import { machineSeams } from "../../agent/seams/index.ts";
import { type CommandModule, dataPath, exitCodes, type Frame, withData } from "../frame/index.ts";
import { factLines } from "./status-text.ts";

type Facts = Readonly<Record<string, unknown>>;

/** `tidegate status`: what the nodes of this machine say about themselves. */
export const statusCommand: CommandModule = (program, frame) => {
  withData(program.command("status"))
    .description(
      "show the running node in --data, or every node in this machine's standard folders; exit code 1 where none runs",
    )
    .action(async (options: { data?: string }) => {
      const found = await Promise.all(folders(frame, options).map(ask));
      const nodes = found.filter((each) => each !== null);
      frame.output.result(nodes, (all) => (all.length === 0 ? "no node runs here" : all.flatMap(nodeLines)));
      if (nodes.length > 0) return;
      frame.output.say(`looked in ${[...new Set(folders(frame, options))].join(", ")}; another folder: --data DIR`);
      frame.exit(exitCodes.negative);
    });
};

function folders(frame: Frame, options: { data?: string }): string[] {
  const roles: readonly NodeRole[] = options.data === undefined ? ["vault", "gateway", "edge"] : ["vault"];
  return roles.map((role) => dataPath(frame, role, options));
}

async function ask(folder: string): Promise<{ folder: string; status: Facts; listeners: Facts } | null> {
  const run = readRunFile(dataFolderAt(folder));
  if (run === null) return null;
  try {
    const status = (await callAdmin(folder, { method: "GET", path: "/v1/status" })) as Facts;
    return { folder, status, listeners: run.listeners };
  } catch (error) {
    if (isNobodyThere(error)) return null;
    throw error;
  }
}

function nodeLines({ folder, status, listeners }: { folder: string; status: Facts; listeners: Facts }): string[] {
  return [
    `${status["role"]} in ${folder}`,
    ...factLines({ ...status, listeners }, { indent: "  ", nowMs: machineSeams().clock.sinceBootMs() }),
  ];
}
