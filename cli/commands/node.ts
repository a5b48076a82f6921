import { callAdmin } from "../../agent/admin/index.ts";
import { type CommandModule, dataPath, notAvailable, table, withData } from "../frame/index.ts";

interface NodeAnswer {
  readonly name: string;
  readonly role: string;
  readonly zone: string;
  readonly via: string | null;
  readonly state: string;
  readonly connected: boolean | null;
  readonly behind: number;
  readonly lastHeardAtMs: number | null;
}

/** `tidegate node list`. */
export const nodeCommand: CommandModule = (program, frame) => {
  const node = program.command("node").description("gateways and edges of a vault");
  withData(node.command("list"))
    .description("list the nodes, and how far each has followed")
    .action(async (options: { data?: string }) => {
      const nodes = (await callAdmin(dataPath(frame, "vault", options), { method: "GET", path: "/v1/nodes" })) as NodeAnswer[];
      frame.output.result(nodes, (all) =>
        table([
          ["NODE", "ROLE", "ZONE", "STATE", "LINK", "FOLLOWED", "LAST HEARD"],
          ...all.map((each) => [
            each.name,
            each.role,
            each.zone,
            each.state,
            linkText(each),
            each.behind === 0 ? "current" : `${each.behind} behind`,
            each.lastHeardAtMs === null ? "never" : new Date(each.lastHeardAtMs).toISOString(),
          ]),
        ]),
      );
    });
  notAvailable(node, "revoke <name>", "end a node's membership");
  notAvailable(node, "rekey <name>", "give a node new keys");
};

/** The vault knows its own tunnels only; of a node behind a gateway it knows when it was last heard. */
function linkText({ connected, via }: NodeAnswer): string {
  if (connected === null) return via === null ? "unknown" : `via ${via}`;
  return connected ? "up" : "down";
}
