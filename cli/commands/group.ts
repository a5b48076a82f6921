import { callAdmin } from "../../agent/admin/index.ts";
import { CliError, type CommandModule, dataPath, type Frame, table, withData } from "../frame/index.ts";

interface GroupAnswer {
  readonly name: string;
  readonly zone: string;
  readonly members: readonly string[];
}

interface AddOptions {
  readonly data?: string;
  readonly shared?: boolean;
}

/** `tidegate group add | list | remove`. */
export const groupCommand: CommandModule = (program, frame) => {
  const group = program.command("group").description("accounts that change together, or not at all");
  withData(group.command("add <name> <path...>"))
    .description("have the edge change these accounts one after the other, and none before all are ready")
    .option("--shared", "give all of them one and the same value (not available in this version)")
    .action(async (name: string, paths: string[], options: AddOptions) => {
      if (options.shared === true) {
        throw new CliError("NOT_AVAILABLE", "'group add --shared' is not available in this version", {
          hint: "Without it each account of the group gets a value of its own, and its readers find each by its path.",
        });
      }
      const added = (await call(frame, options, { method: "POST", path: "/v1/groups", body: { name, paths } })) as GroupAnswer;
      frame.output.result(added, ({ members }) => `${name}: ${members.join(", ")}`);
      frame.output.say(`next: an order or an interval of any of them changes all: tidegate device rotate ${added.members[0]}`);
    });
  withData(group.command("list"))
    .description("list the groups")
    .action(async (options: { data?: string }) => {
      const all = (await call(frame, options, { method: "GET", path: "/v1/groups" })) as GroupAnswer[];
      frame.output.result(all, (groups) =>
        table([["GROUP", "ZONE", "MEMBERS"], ...groups.map(({ name, zone, members }) => [name, zone, members.join(" ")])]),
      );
    });
  withData(group.command("remove <name>"))
    .description("let the accounts of a group change each for itself again; what they have they keep")
    .action(async (name: string, options: { data?: string }) => {
      const removed = await call(frame, options, { method: "DELETE", path: `/v1/groups/${encodeURIComponent(name)}` });
      frame.output.result(removed, () => `${name} is no group any more`);
    });
};

function call(frame: Frame, options: { data?: string }, request: Parameters<typeof callAdmin>[1]): Promise<unknown> {
  return callAdmin(dataPath(frame, "vault", options), request);
}
