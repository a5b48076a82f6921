import { existsSync } from "node:fs";
import { type CommandModule, dataPath, exitCodes, type Frame, withData } from "../frame/index.ts";

interface Examined {
  readonly folder: string | null;
  readonly role: string | null;
  readonly findings: readonly {
    readonly check: string;
    readonly state: string;
    readonly says: string;
    readonly hint: string | null;
  }[];
}

/** `tidegate doctor`. */
export const doctorCommand: CommandModule = (program, frame) => {
  withData(program.command("doctor"))
    .description(
      "examine this machine and the node in --data, or every node in the standard folders; exit code 1 where something fails",
    )
    .action((options: { data?: string }) => doctor(frame, options));
};

async function doctor(frame: Frame, options: { data?: string }): Promise<void> {
  const { examine, machineFacts } = await import("../doctor/index.ts");
  const named = options.data !== undefined;
  const roles = named ? (["vault"] as const) : (["vault", "gateway", "edge"] as const);
  const paths = roles.map((role) => dataPath(frame, role, options)).filter((path) => named || existsSync(path));
  const examined = await examine(paths, machineFacts());
  frame.output.result(examined, (all) => all.flatMap(lines));
  if (examined.some(({ findings }) => findings.some(({ state }) => state === "failure"))) frame.exit(exitCodes.negative);
}

function lines({ folder, role, findings }: Examined): string[] {
  const title = folder === null ? "this machine" : `${role ?? "a node"} in ${folder}`;
  return [
    title,
    ...findings.flatMap(({ check, state, says, hint }) => [
      `  ${state.padEnd(7)}  ${check}: ${says}`,
      ...(hint === null ? [] : [`           hint: ${hint}`]),
    ]),
  ];
}
