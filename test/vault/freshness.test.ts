import t from "tap";
import { entryType, FreshnessRules } from "../../protocol/content/index.ts";
import { freshnessRules } from "../../vault/registry/limits.ts";
import { passwordModel } from "./rig.ts";
import { VaultRig } from "./vault-rig.ts";

t.test("a rule goes to each node that holds what it covers, and to no other, until it is taken back", async (t) => {
  const rig = await VaultRig.make(t);
  const near = await rig.join(t, { name: "edge-1", role: "edge", zone: "plant", address: "gateway.test:7444" });
  const far = await rig.join(t, { name: "edge-2", role: "edge", zone: "harbour", address: "gateway.test:7444" });
  await rig.addPump("plant");
  await rig.setPassword("plant/pump/operator", "first");
  const rule = { pattern: "plant/**", staleAfterS: 86_400, whenStale: "deny", ttlS: null, model: null, memoryOnly: false };
  await rig.call("PUT", "/v1/freshness", { ...rule, whenStale: "warn" });
  t.same(
    await rig.call("PUT", "/v1/freshness", rule),
    { ...rule, accounts: 1, replaced: { ...rule, whenStale: "warn" } },
    "it says what holds no more",
  );
  t.same(await rig.call("GET", "/v1/freshness"), [rule], "said again, it takes the place of what was said");
  const held = async (node: typeof near) => {
    await node.exchange();
    return node.node.withState((view) => [...view.freshness.values()].map(({ content }) => content));
  };
  const { model: _, ...told } = rule;
  t.match(await held(near), [{ kind: "freshness", ...told }]);
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

t.test("a rule for one model covers each account on its devices by path, and no other", async (t) => {
  const rig = await VaultRig.make(t);
  const edge = await rig.join(t, { name: "edge-1", role: "edge", zone: "plant", address: "gateway.test:7444" });
  await rig.addPump("plant");
  const meter = { name: "meter", constraints: passwordModel };
  const accounts = ["reader", "writer"].map((name) => ({ name, username: name }));
  await rig.addPump("plant", { name: "meter-1", model: meter, accounts });
  for (const path of ["pump/operator", "meter-1/reader", "meter-1/writer"]) await rig.setPassword(`plant/${path}`, "x");
  const rule = { pattern: "plant/**", staleAfterS: 60, whenStale: "deny", ttlS: null };
  await rig.call("PUT", "/v1/freshness", { ...rule, model: "meter" });
  await rig.call("PUT", "/v1/freshness", { ...rule, staleAfterS: 3600, whenStale: "warn" });
  await edge.exchange();
  const rules = new FreshnessRules(edge.node.withState((view) => [...view.freshness.values()].map(({ content }) => content)));
  const said = (path: string) => rules.at(`plant/${path}`);
  t.match(said("pump/operator"), { staleAfterS: 3600, whenStale: "warn" });
  t.match(said("meter-1/reader"), { staleAfterS: 60, whenStale: "deny" });
  t.match(said("meter-1/writer"), { staleAfterS: 60, whenStale: "deny" });
  await rig.call("DELETE", "/v1/freshness?pattern=plant/**&model=meter");
  await edge.exchange();
  t.equal(edge.node.entriesOfType(entryType.freshness).length, 1, "its entries go with it, the rule for all models stays");
  await t.rejects(rig.call("DELETE", "/v1/freshness?pattern=plant/**&model=meter"), { code: "REGISTRY_NOT_FOUND" });
  await t.rejects(rig.call("PUT", "/v1/freshness", { ...rule, model: "valve" }), { code: "REGISTRY_NOT_FOUND" });
});

t.test("what is rotated is not held in memory only, and what is held in memory only is not rotated", async (t) => {
  const rig = await VaultRig.make(t);
  await rig.join(t, { name: "edge-1", role: "edge", zone: "plant", address: "gateway.test:7444" });
  await rig.addPump("plant", { accounts: [{ name: "operator", username: "operator", rotate: "never" }] });
  await rig.setPassword("plant/pump/operator", "x");
  const memoryOnly = { pattern: "plant/**", whenStale: "warn", memoryOnly: true };
  const setRule = () => rig.call("PUT", "/v1/freshness", memoryOnly);
  await setRule();
  const order = (action: string) => rig.call("POST", "/v1/orders", { path: "plant/pump/operator", action });
  await t.rejects(order("verify"), { code: "REGISTRY_MEMORY_ONLY" });
  const policy = (rotate: string) =>
    rig.call("PUT", "/v1/accounts/plant/pump/operator", { rotation: { rotate, intervalS: null } });
  await t.rejects(policy("on-demand"), { code: "REGISTRY_MEMORY_ONLY" });
  await policy("never");
  const account = { name: "other", username: "other", rotate: "on-demand" };
  await t.rejects(rig.addPump("plant", { name: "pump-2", accounts: [account] }), { code: "REGISTRY_MEMORY_ONLY" });
  await rig.call("DELETE", "/v1/freshness?pattern=plant/**");
  await rig.addPump("plant", { name: "pump-2", accounts: [account] });
  await t.rejects(setRule(), { code: "REGISTRY_MEMORY_ONLY" });
  for (const pattern of ["plant", "plant/pump-2", "plant/*", "plant/pump-2/other"])
    await t.rejects(rig.call("PUT", "/v1/freshness", { ...memoryOnly, pattern }), { code: "REGISTRY_MEMORY_ONLY" }, pattern);
  for (const pattern of ["plant/pump", "plan", "plant/pump-20", "harbour"])
    await t.resolves(rig.call("PUT", "/v1/freshness", { ...memoryOnly, pattern }), pattern);
  await t.rejects(order("verify"), { code: "REGISTRY_MEMORY_ONLY" }, "the rule of a device counts for its account");
});

t.test("a rule for a zone or a device reaches a node for every account below it", async (t) => {
  const rig = await VaultRig.make(t);
  const edge = await rig.join(t, { name: "edge-1", role: "edge", zone: "plant", address: "gateway.test:7444" });
  const paths = ["plant/pump/operator", "plant/pump-2/operator"];
  await rig.addPump("plant");
  await rig.addPump("plant", { name: "pump-2" });
  for (const path of paths) await rig.setPassword(path, "x");
  const cases: [pattern: string, kept: string, covered: string[]][] = [
    ["plant", "plant/**", paths],
    ["plant/pump", "plant/pump/**", paths.slice(0, 1)],
    ["plant/*", "plant/*/**", paths],
    ["plant/pump-2/operator", "plant/pump-2/operator", paths.slice(1)],
    ["plant/**", "plant/**", paths],
    ["pl", "pl/**", []],
    ["plant/pum", "plant/pum/**", []],
  ];
  const rule = { staleAfterS: null, whenStale: "deny", ttlS: 60, model: null, memoryOnly: false };
  for (const [pattern, kept, covered] of cases) {
    const answer = await rig.call("PUT", "/v1/freshness", { ...rule, pattern });
    t.same(answer, { ...rule, pattern: kept, accounts: covered.length, replaced: null }, pattern);
    await edge.exchange();
    const rules = new FreshnessRules(edge.node.withState((view) => [...view.freshness.values()].map(({ content }) => content)));
    t.same(
      paths.filter((path) => rules.at(path) !== null),
      covered,
      pattern,
    );
    t.same(await rig.call("DELETE", `/v1/freshness?pattern=${pattern}`), { pattern: kept, model: null });
  }
  await rig.call("PUT", "/v1/freshness", { ...rule, pattern: "plant" });
  await rig.core.store.transaction((tx) => tx.updateTable("freshness_rules").set({ pattern: "plant/pump" }).execute());
  t.same(
    await rig.call("GET", "/v1/freshness"),
    [{ ...rule, pattern: "plant/pump/**" }],
    "a row of an older vault counts alike",
  );
  await rig.call("DELETE", "/v1/freshness?pattern=plant/pump");
  t.same(await rig.call("GET", "/v1/freshness"), []);
});
