import { addRun } from "../add-run.ts";
import type { CommandModule, UnlockOptions } from "../frame/index.ts";
import { addDecommission } from "./decommission.ts";
import { addJoin, addProxyLogin } from "./member-node.ts";
import { addRekey } from "./rekey.ts";

interface JoinOptions extends UnlockOptions {
  readonly vault?: string;
  readonly edges?: string;
  readonly api?: string;
  readonly apiTls?: string;
}

/** `tidegate gateway join | run | rekey | decommission`. */
export const gatewayCommand: CommandModule = (program, frame) => {
  const gateway = program
    .command("gateway")
    .description("the relay in the DMZ: dials the vault, keeps mailboxes, serves applications");
  addJoin<JoinOptions>(gateway, frame, "gateway", async (input, { vault, edges, api, apiTls }) => {
    const { joinGateway } = await import("../../gateway/index.ts");
    return joinGateway({ ...input, vault, edges: edges ?? null, api: api ?? null, apiTls: apiTls ?? null });
  })
    .option("--vault <host:port>", "where the vault is, in place of the address in the code")
    .option("--edges <host:port>", "listen for edges on this address")
    .option("--api <host:port>", "also serve the local API on this loopback address")
    .option("--api-tls <host:port>", "also serve the local API over TLS on this address or network interface");
  addProxyLogin(gateway, frame, "gateway");
  addRun(gateway, frame, "gateway", async (input) => (await import("../run-gateway.ts")).runGateway(input));
  addRekey(gateway, frame, "gateway", async (path) => {
    const { loadConfig } = await import("../../agent/config/index.ts");
    const { gatewayConfigSchema } = await import("../../gateway/index.ts");
    const { vault, proxy } = loadConfig(path, gatewayConfigSchema);
    return { address: vault?.address ?? null, proxy };
  });
  addDecommission(program, gateway, frame, "gateway");
};
