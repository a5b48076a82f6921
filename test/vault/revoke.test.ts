import t from "tap";
import { memberOf } from "../../protocol/trust/index.ts";
import { ingestCarrier } from "../../vault/ingest/index.ts";
import { VaultRig } from "./vault-rig.ts";

type Test = Parameters<typeof VaultRig.make>[0];

const path = "plant/pump/operator";

/** A gateway whose application reads the pump, an edge behind it, and a second account that nobody at the gateway reads. */
async function plant(t: Test) {
  const rig = await VaultRig.make(t);
  const gateway = await rig.join(t, { name: "gw-1", role: "gateway", zone: "dmz", address: "127.0.0.1:7443" });
  const edge = await rig.join(t, { name: "edge-1", role: "edge", zone: "plant", via: "gw-1", address: "127.0.0.1:7444" });
  await rig.addPump("plant");
  await rig.addPump("plant", { name: "fan", accounts: [{ name: "operator", username: "operator" }] });
  await rig.call("POST", "/v1/applications", { name: "historian", node: "gw-1" });
  await rig.call("POST", "/v1/applications/historian/grants", { pattern: path });
  for (const each of [path, "plant/fan/operator"]) await rig.setPassword(each, "First-live1");
  await gateway.exchange();
  await edge.exchange();
  return { rig, gateway, edge };
}

t.test("a revoked node's words count no more, and what it could read is told", async (t) => {
  const { rig, gateway, edge } = await plant(t);
  const exposure = { name: "gw-1", role: "gateway", zone: "dmz", accounts: [path], edges: ["edge-1"] };
  t.same(await rig.call("GET", "/v1/nodes/gw-1/exposure"), exposure, "only what its own application was granted");
  t.same(await rig.call("POST", "/v1/nodes/gw-1/revoke", { reason: "stolen" }), exposure);
  const trust = await rig.core.store.read((tx) => rig.core.trust.read(tx));
  t.throws(() => memberOf(trust, gateway.node.nodeId), { code: "TRUST_REVOKED" });
  t.doesNotThrow(() => memberOf(trust, edge.node.nodeId));
  gateway.report([]);
  const [report] = gateway.reports();
  if (report === undefined) throw new Error("no report");
  await t.rejects(ingestCarrier(rig.core, report), { code: "TRUST_REVOKED" });
  t.same(await rig.outbox(gateway.node.nodeId), [], "nothing waits for it");
  await t.rejects(rig.call("POST", "/v1/nodes/gw-1/revoke", { reason: "again" }), { code: "REGISTRY_NOT_FOUND" });
  await edge.exchange();
  t.throws(() => memberOf(edge.node.trust(), gateway.node.nodeId), { code: "TRUST_REVOKED" }, "its edge learns of it");
});

t.test("who bears a revoked gateway's name later has its edges, and what it could read can be rotated", async (t) => {
  const { rig } = await plant(t);
  await rig.call("POST", "/v1/nodes/gw-1/revoke", { reason: "stolen" });
  const plan = await rig.call("POST", "/v1/fleet", { exposedBy: "gw-1", dryRun: true });
  t.same(plan, { members: [{ path, canary: true }] });
  await rig.join(t, { name: "gw-1", role: "gateway", zone: "dmz", address: "127.0.0.1:7443" });
  const nodes = (await rig.call("GET", "/v1/nodes")) as unknown as { name: string; via: string | null }[];
  t.match(
    nodes.map(({ name, via }) => [name, via]),
    [
      ["edge-1", "gw-1"],
      ["gw-1", null],
    ],
  );
});

t.test("a revoked edge had every password of its zone", async (t) => {
  const { rig } = await plant(t);
  const told = await rig.call("POST", "/v1/nodes/edge-1/revoke", { reason: "scrapped" });
  t.same(told["accounts"], ["plant/fan/operator", path]);
  t.same(told["edges"], []);
  await t.rejects(rig.call("POST", "/v1/orders", { path, action: "rotate" }), { code: "ORDER_NO_EDGE" });
});
