import t from "tap";
import { VaultRig } from "./vault-rig.ts";

const edgeEnrolment = { name: "edge-1", role: "edge", zone: "plant", address: "127.0.0.1:7444" };
const accounts = ["a", "b", "c", "idle"].map((name) => ({
  name,
  username: name,
  rotate: name === "idle" ? "never" : "on-demand",
}));
const at = (name: string) => `plant/pump/${name}`;

t.test("accounts of one edge are grouped, and each tells its edge so until the group is dissolved", async (t) => {
  const rig = await VaultRig.make(t);
  const edge = await rig.join(t, edgeEnrolment);
  await rig.join(t, { name: "edge-2", role: "edge", zone: "mill", address: "127.0.0.1:7444" });
  await rig.addPump("plant", { accounts });
  await rig.addPump("mill");
  const add = (name: string, paths: string[]) => rig.call("POST", "/v1/groups", { name, paths });
  const groups = async () => {
    await edge.exchange();
    const held = edge.node.withState((view) => [...view.accounts.values()].map(({ content }) => content));
    const named = held.filter(({ group }) => group !== null);
    return [named.map(({ path }) => path).sort(), new Set(named.map(({ group }) => String(group))).size];
  };

  t.same(await add("login", [at("b"), at("a")]), { name: "login", zone: "plant", members: [at("a"), at("b")] });
  t.same(await groups(), [[at("a"), at("b")], 1]);
  t.same(await rig.call("GET", "/v1/groups"), [{ name: "login", zone: "plant", members: [at("a"), at("b")] }]);

  await t.rejects(add("far", [at("c"), "mill/pump/operator"]), { code: "REGISTRY_GROUP_ACROSS_EDGES" });
  await t.rejects(add("login", [at("c"), at("idle")]), { code: "REGISTRY_EXISTS" });
  for (const other of [at("a"), at("idle"), at("c")])
    await t.rejects(add("more", [at("c"), other]), { code: "REGISTRY_INVALID" }, `with ${other}`);
  await t.rejects(add("more", [at("c"), at("nobody")]), { code: "REGISTRY_NOT_FOUND" });

  for (const rules of [{ breakGlass: true }, { rotation: { rotate: "never", intervalS: null } }])
    await t.rejects(
      rig.call("PUT", `/v1/accounts/${at("a")}`, rules),
      { code: "REGISTRY_INVALID" },
      "nor can a member become so",
    );

  await rig.call("DELETE", "/v1/groups/login");
  t.same(await groups(), [[], 0]);
  await t.rejects(rig.call("DELETE", "/v1/groups/login"), { code: "REGISTRY_NOT_FOUND" });
  t.match(await add("more", [at("c"), at("a")]), { members: [at("a"), at("c")] }, "free for another one");
});

t.test("a group has 2 to 32 members", async (t) => {
  const rig = await VaultRig.make(t);
  const many = Array.from({ length: 33 }, (_, i) => ({ name: `u${i}`, username: `u${i}` }));
  await rig.join(t, edgeEnrolment);
  await rig.addPump("plant", { accounts: many.slice(0, 20) });
  await rig.addPump("plant", { name: "fan", accounts: many.slice(20) });
  const paths = many.map(({ name }, i) => `plant/${i < 20 ? "pump" : "fan"}/${name}`);
  for (const [count, fits] of [
    [1, false],
    [33, false],
    [32, true],
  ] as const) {
    const call = rig.call("POST", "/v1/groups", { name: "many", paths: paths.slice(0, count) });
    if (fits) t.match(await call, { name: "many" });
    else await t.rejects(call);
  }
});
