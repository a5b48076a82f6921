import { addRun } from "../add-run.ts";
import { type CommandModule, type UnlockOptions, withData } from "../frame/index.ts";
import { addDecommission } from "./decommission.ts";
import { addSite, wishFor } from "./edge-site.ts";
import { addJoin, addProxyLogin } from "./member-node.ts";
import { addRekey } from "./rekey.ts";

interface JoinOptions extends UnlockOptions {
  readonly gateway?: string;
  readonly api?: string;
}

/** `tidegate edge join | run | verify | rotate | retry | reconcile | release | rekey | decommission`. */
export const edgeCommand: CommandModule = (program, frame) => {
  const edge = program.command("edge").description("the node on a segment that keeps credentials and changes device passwords");
  addJoin<JoinOptions>(edge, frame, "edge", async (input, { gateway, api }) => {
    const { joinEdge } = await import("../../edge/index.ts");
    return joinEdge({ ...input, gateway, api: api ?? null });
  })
    .option("--gateway <host:port>", "where the gateway is, in place of the address in the code")
    .option("--api <host:port>", "also serve the local API on this loopback address");
  addProxyLogin(edge, frame, "edge");
  addRun(edge, frame, "edge", async (input) => (await import("../run-edge.ts")).runEdge(input));
  for (const [action, summary] of Object.entries(wishes)) {
    withData(edge.command(`${action} <path>`))
      .description(summary)
      .action((path: string, options: { data?: string }) => wishFor(frame, action, path, options));
  }
  addSite(edge, frame);
  addRekey(edge, frame, "edge", async (path) => {
    const { loadConfig } = await import("../../agent/config/index.ts");
    const { edgeConfigSchema } = await import("../../edge/index.ts");
    const { gateway, proxy } = loadConfig(path, edgeConfigSchema);
    return { address: gateway?.address ?? null, proxy };
  });
  addDecommission(program, edge, frame, "edge");
};

/** What an operator on the segment may ask of one account, with the vault in reach or not. */
const wishes = {
  verify: "check, read-only, that the password of zone/device/account works",
  retry: "try every known password of an account in UNKNOWN once more",
  reconcile: "have the device's administrator set the password of an account in UNKNOWN anew",
} as const;
