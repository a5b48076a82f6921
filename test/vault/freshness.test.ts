import t from "tap";
import { entryType } from "../../protocol/content/index.ts";
import { freshnessRules } from "../../vault/registry/limits.ts";
import { VaultRig } from "./vault-rig.ts";

t.test("a rule goes to each node that holds what it covers, and to no other, until it is taken back", async (t) => {
  const rig = await VaultRig.make(t);
  const near = await rig.join(t, { name: "edge-1", role: "edge", zone: "plant", address: "gateway.test:7444" });
  const far = await rig.join(t, { name: "edge-2", role: "edge", zone: "harbour", address: "gateway.test:7444" });
  await rig.addPump("plant");
  await rig.setPassword("plant/pump/operator", "first");
  const rule = { pattern: "plant/**", staleAfterS: 86_400, whenStale: "deny", ttlS: null };
  await rig.call("PUT", "/v1/freshness", { ...rule, whenStale: "warn" });
  await rig.call("PUT", "/v1/freshness", rule);
  t.same(await rig.call("GET", "/v1/freshness"), [rule], "said again, it takes the place of what was said");
  const held = async (node: typeof near) => {
    await node.exchange();
    return node.node.withState((view) => [...view.freshness.values()].map(({ content }) => content));
  };
  t.match(await held(near), [{ kind: "freshness", ...rule }]);
  t.same(await held(far), []);
  await rig.call("DELETE", "/v1/freshness?pattern=plant/**");
  t.same(await held(near), []);
  t.equal(near.node.entriesOfType(entryType.freshness).length, 0);
  await t.rejects(rig.call("DELETE", "/v1/freshness?pattern=plant/**"), { code: "REGISTRY_NOT_FOUND" });
});

t.test("there are so many rules and no more", async (t) => {
  const rig = await VaultRig.make(t);
  const set = (i: number) => rig.call("PUT", "/v1/freshness", { pattern: `zone-${i}/**`, staleAfterS: 60, whenStale: "serve" });
  for (let i = 0; i < freshnessRules; i += 1) await set(i);
  await t.rejects(set(freshnessRules), { code: "REGISTRY_INVALID" });
  t.resolves(set(0), "one that is there can be changed");
});
