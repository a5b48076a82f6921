import t from "tap";
import { encodeFact } from "../../protocol/content/index.ts";
import { VaultRig } from "./vault-rig.ts";

const path = "plant/pump/operator";

async function plant(t: Parameters<typeof VaultRig.make>[0]) {
  const rig = await VaultRig.make(t);
  const gateway = await rig.join(t, {
    name: "gw",
    role: "gateway",
    zone: "dmz",
    address: "127.0.0.1:7444",
    hosts: ["127.0.0.1"],
  });
  const edge = await rig.join(t, { name: "e1", role: "edge", zone: "plant", via: "gw", address: "127.0.0.1:7444" });
  await rig.addPump("plant");
  await rig.setPassword(path, "secret-0");
  await rig.call("POST", "/v1/applications", { name: "panel", person: true });
  const exchange = async () => {
    for (let i = 0; i < 3; i += 1) for (const node of [gateway, edge]) await node.exchange();
  };
  await exchange();
  const orders = () =>
    edge.node.withState((view) =>
      [...view.orders.values()].map(({ entry, content }) => ({ cause: content.cause, from: entry.authority?.notBefore })),
    );
  const leases = () =>
    gateway.node.withState((view) => [...view.leases.values()].map(({ entry, content }) => [content.pattern, entry.authority]));
  const nowS = () => Math.floor(rig.seams.nowMs / 1000);
  return { rig, gateway, edge, exchange, orders, leases, nowS };
}

t.test(
  "a lease lets the gateway serve until its end, and the edge has the rotation that follows from the beginning",
  async (t) => {
    const { rig, gateway, exchange, orders, leases, nowS } = await plant(t);
    t.same(gateway.values(path), {}, "nobody at the gateway may read it");
    const lease = await rig.call("POST", "/v1/leases", { application: "panel", pattern: "plant/**", forS: 7200 });
    t.same(lease["rotatedAtEnd"], [path]);
    await exchange();
    t.same(gateway.values(path)["current"], ["secret-0"]);
    const window = { notBefore: nowS(), notAfter: nowS() + 7200 };
    t.same(leases(), [["plant/**", window]]);
    t.same(orders(), [{ cause: "lease-end", from: window.notAfter }]);
    t.match(await rig.call("GET", "/v1/leases"), [{ leaseId: lease["leaseId"], application: "panel", pattern: "plant/**" }]);
    rig.seams.nowMs += 7_201_000;
    await rig.setPassword("plant/pump/operator", "secret-1");
    await exchange();
    t.same(leases(), [], "it has ended");
    t.same(gateway.values(path), {}, "and so has the gateway's right to the value");
    await t.rejects(rig.call("DELETE", `/v1/leases/${lease["leaseId"]}`), { code: "REGISTRY_NOT_FOUND" });
  },
);

t.test("a lease that is revoked ends at once, and its rotation begins", async (t) => {
  const { rig, exchange, orders, leases, nowS } = await plant(t);
  const { leaseId } = await rig.call("POST", "/v1/leases", { application: "panel", pattern: path, forS: 86_400 });
  await exchange();
  rig.seams.nowMs += 60_000;
  await rig.call("DELETE", `/v1/leases/${leaseId}`);
  await exchange();
  t.same(leases(), []);
  t.same(orders(), [{ cause: "lease-end", from: nowS() }]);
});

t.test("what a lease may ask for has limits, each with its code", async (t) => {
  const { rig } = await plant(t);
  const lease = { application: "panel", pattern: path, forS: 60 };
  const month = 31 * 24 * 3600;
  for (const wrong of [{ forS: 59 }, { forS: month + 1 }, { pattern: "**/x" }])
    await t.rejects(rig.call("POST", "/v1/leases", { ...lease, ...wrong }), { code: "REQUEST_INVALID" });
  await t.rejects(rig.call("POST", "/v1/leases", { ...lease, application: "nobody" }), { code: "REGISTRY_NOT_FOUND" });
  for (let i = 0; i < 64; i += 1) await rig.call("POST", "/v1/leases", { ...lease, forS: i === 0 ? month : 60 });
  await t.rejects(rig.call("POST", "/v1/leases", lease), { code: "REGISTRY_INVALID" });
});

t.test("a person's read at a gateway becomes one order an hour later, where the account asks for it", async (t) => {
  const { rig, gateway, edge, exchange, orders, nowS } = await plant(t);
  await rig.call("POST", "/v1/applications/panel/grants", { pattern: "plant/**" });
  await exchange();
  const accountId = edge.accountId(path);
  const read = (number: number) =>
    gateway.report([
      encodeFact({ kind: "person-read", accountId, index: { epoch: 1, number }, applicationId: new Uint8Array(16) }),
    ]);
  read(0);
  await exchange();
  t.same(orders(), [], "the account does not ask for it");
  await rig.call("PUT", `/v1/accounts/${path}`, { rotateOn: ["personRead"] });
  read(9);
  await exchange();
  t.same(orders(), [], "a version that is not in use");
  const at = nowS();
  read(0);
  read(0);
  await exchange();
  t.same(orders(), [{ cause: "person-read", from: at + 3600 }]);
});
