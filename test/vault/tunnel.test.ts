import { join } from "node:path";
import t from "tap";
import { callAdmin } from "../../agent/admin/index.ts";
import { loadConfig } from "../../agent/config/index.ts";
import { openDataFolder, readRunFile } from "../../agent/data-folder/index.ts";
import { createLog } from "../../agent/log/index.ts";
import { joinNode, nodeMailroom, openNode, upstreamOf } from "../../agent/node/index.ts";
import { createKeyFile, type Unlock } from "../../agent/seal-key/index.ts";
import { machineSeams } from "../../agent/seams/index.ts";
import { dialTunnel, requestJoin, socketDial } from "../../agent/tunnel/index.ts";
import { parseEnrolmentCode } from "../../protocol/join/index.ts";
import { nodeRole } from "../../protocol/trust/index.ts";
import { tunnelTrust } from "../../protocol/tunnel/index.ts";
import { initVault, start, vaultConfigSchema } from "../../vault/index.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { shortFolder } from "../support/short-folder.ts";
import { passwordModel, random } from "./rig.ts";

const seams = machineSeams();

t.test(
  "over loopback TLS a gateway joins, dials in, gets its credentials and acknowledges them, also after a restart",
  async (t) => {
    const { path, unlock } = await madeVault(t);
    const folder = openDataFolder(path);
    const run = () =>
      start(
        { folder, config: { ...loadConfig(folder.config, vaultConfigSchema), log: { level: "silent" } }, version: "test" },
        seams,
        unlock,
      );
    let vault = await run();
    t.teardown(() => vault.close());
    await t.rejects(run(), { code: "DATA_LOCKED" }, "a second process on the folder is refused");
    const call = (method: "GET" | "POST" | "PUT", route: string, body?: unknown) =>
      callAdmin(path, { method, path: route, body });

    const { code } = (await call("POST", "/v1/codes", {
      name: "gw-1",
      role: "gateway",
      zone: "dmz",
      hosts: ["127.0.0.1"],
    })) as { code: string };
    await call("POST", "/v1/codes", { name: "edge-1", role: "edge", zone: "plant", address: "127.0.0.1:7444" });
    await call("POST", "/v1/devices", {
      name: "pump",
      zone: "plant",
      model: { name: "generic", constraints: passwordModel },
      host: "127.0.0.1",
      port: 1,
      accounts: [{ name: "operator", username: "operator" }],
    });
    await call("POST", "/v1/applications", { name: "scada" });
    await call("POST", "/v1/applications/scada/grants", { pattern: "plant/**" });

    const store = new MemoryStore();
    const parsed = parseEnrolmentCode(code);
    const exchange = (carrier: Uint8Array) => requestJoin({ address: parsed.address, carrier, dial: socketDial(null), seams });
    t.equal(parsed.address, `127.0.0.1:${readRunFile(folder)?.listeners["tunnel"]?.port}`, "the code names the real port");
    await joinNode({ store, code: parsed, role: nodeRole.gateway, seams, exchange });
    const opened = openNode({
      store,
      seams,
      log: createLog({ level: "silent", node: "gw" }),
      hooks: { capabilities: [] },
      wall: { gapMs: 0, trusted: true },
      role: "gateway",
      version: "test",
      auditFolder: null,
      onStopped: () => {},
    });
    t.teardown(() => opened.close());
    const { node } = opened;
    let address = parsed.address;
    const dial = () => {
      const tunnel = dialTunnel({
        node: {
          nodeId: node.nodeId,
          signing: node.identity.signing,
          member: () => node.member().envelope,
          trust: () => tunnelTrust(node.trust()),
          learn: (statements) => node.learn(statements),
          mailroom: nodeMailroom(node),
          seams,
        },
        peer: () => upstreamOf(node.trust(), nodeRole.vault).nodeId,
        address,
        dial: socketDial(node.identity.tls),
        nextCounter: () => node.nextTunnelCounter(),
        report: () => {},
      });
      t.teardown(() => tunnel.close());
      t.teardown(node.onOutgoing(() => tunnel.wake()));
      return tunnel;
    };
    const first = dial();

    const fields = (text: string) => ({
      path: "plant/pump/operator",
      fields: { password: Buffer.from(text).toString("base64") },
    });
    await call("PUT", "/v1/credentials", fields("Over-tls-1"));
    await until(() => current() === "Over-tls-1");
    await until(async () => {
      const [gateway] = (await call("GET", "/v1/nodes")) as { connected: boolean; acknowledged: number; reports: number }[];
      return gateway?.connected === true && gateway.acknowledged >= 2 && gateway.reports >= 1;
    });
    t.pass("the gateway holds the value, and the vault knows");

    await first.close();
    await vault.close();
    t.equal(readRunFile(folder), null);
    vault = await run();
    address = `127.0.0.1:${readRunFile(folder)?.listeners["tunnel"]?.port}`;
    await call("PUT", "/v1/credentials", fields("Over-tls-2"));
    dial();
    await until(() => current() === "Over-tls-2");
    t.pass("and goes on with the vault's next process");

    function current(): string | undefined {
      return node.withState((view) => {
        const versions = [...view.credentials.values()].flat();
        const found = versions.find(({ content }) => content.role === "current");
        return found === undefined ? undefined : Buffer.from(found.content.fields[0]?.value ?? []).toString();
      });
    }
  },
);

async function madeVault(t: Parameters<typeof shortFolder>[0]): Promise<{ path: string; unlock: Unlock }> {
  const parent = shortFolder(t);
  const path = join(parent, "v");
  const keyFile = join(parent, "key");
  createKeyFile(keyFile, random);
  const unlock: Unlock = { kind: "key-file", path: keyFile };
  const listen = "127.0.0.1:0";
  await initVault({
    path,
    unlock: async () => unlock,
    trustDomain: "plant.example",
    listen,
    advertise: null,
    version: "test",
    seams,
  });
  return { path, unlock };
}

/** Waits for what the sockets bring; the test's own time limit ends a wait in vain. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}
