import type { AccountStatus } from "../../edge/index.ts";
import { type CommandModule, dataPath, type UnlockOptions, withData } from "../frame/index.ts";
import { addJoin, addRun } from "./member-node.ts";

interface JoinOptions extends UnlockOptions {
  readonly gateway?: string;
  readonly api?: string;
}

/** `tidegate edge join | run | verify | rotate | retry | reconcile | release`. */
export const edgeCommand: CommandModule = (program, frame) => {
  const edge = program.command("edge").description("the node on a segment that keeps credentials and changes device passwords");
  addJoin<JoinOptions>(edge, frame, "edge", async (input, { gateway, api }) => {
    const { joinEdge } = await import("../../edge/index.ts");
    return joinEdge({ ...input, gateway, api: api ?? null });
  })
    .option("--gateway <host:port>", "where the gateway is, in place of the address in the code")
    .option("--api <host:port>", "also serve the local API on this loopback address");
  addRun(edge, frame, "edge", async () => {
    const { edgeConfigSchema: schema, start } = await import("../../edge/index.ts");
    return { schema, start };
  });
  for (const [action, summary] of Object.entries(wishes)) {
    withData(edge.command(`${action} <path>`))
      .description(summary)
      .action(async (path: string, options: { data?: string }) => {
        const { callAdmin } = await import("../../agent/admin/index.ts");
        const call = { method: "POST", path: `/v1/rotations/${action}`, body: { path } } as const;
        const account = (await callAdmin(dataPath(frame, "edge", options), call)) as AccountStatus;
        frame.output.result(account, ({ state, version }) => `${path}: ${action} is under way; ${state}, version ${version}`);
      });
  }
};

/** What an operator on the segment may ask of one account, with the vault in reach or not. */
const wishes = {
  verify: "check, read-only, that the password of zone/device/account works",
  rotate: "change the password of zone/device/account now, from the pool",
  retry: "try every known password of an account in UNKNOWN once more",
  reconcile: "have the device's administrator set the password of an account in UNKNOWN anew",
  release: "let an account in QUARANTINE be rotated again, after its cause was looked at",
} as const;
