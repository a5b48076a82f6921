import t from "tap";
import { DeviceSummary } from "../../cli/audit/device-summary.ts";
import { decodeLeaf, encodeLeaf, type Leaf } from "../../protocol/audit/index.ts";
import { encodeFact } from "../../protocol/content/index.ts";
import { clockSetBackSince } from "../../vault/audit/clock-set-back.ts";
import { noteConfiguration } from "../../vault/note-configuration.ts";
import { passwordModel } from "./rig.ts";
import { VaultRig } from "./vault-rig.ts";

const path = "plant/pump/operator";
const edge = { name: "edge-1", role: "edge", zone: "plant", address: "127.0.0.1:7444" };

async function leaves(rig: VaultRig, ...actions: string[]): Promise<Leaf[]> {
  const rows = await rig.core.store.read((tx) => tx.selectFrom("audit_leaves").select("leaf").orderBy("place").execute());
  return rows.map(({ leaf }) => decodeLeaf(leaf)).filter(({ action }) => actions.includes(action));
}

t.test("a vault's start says what unlocked it", async (t) => {
  const rig = await VaultRig.make(t);
  await rig.reopen();
  t.match(await leaves(rig, "vault.unlock"), [{ details: { by: "key-file" } }, { details: { by: "key-file" } }]);
});

t.test("a start whose clock is behind the newest entry says so, one that was set by a little does not", async (t) => {
  const rig = await VaultRig.make(t);
  const startedAt = async (nowMs: number) => {
    await rig.vault.close();
    rig.seams.nowMs = nowMs;
    await rig.reopen();
    return leaves(rig, "clock.setback");
  };
  const wasLo = rig.seams.nowMs;
  t.same(await startedAt(wasLo - 60_000), []);
  const lo = wasLo - 120_001;
  t.match(await startedAt(lo), [{ details: { lo, wasLo: wasLo - 60_000 } }]);
  t.equal((await startedAt(lo)).length, 1, "told once");
  t.equal(clockSetBackSince(Uint8Array.of(0x7b), lo), null, "an entry that is damaged does not keep a vault from starting");
});

t.test(
  "a configuration that is another one than at the last start is a leaf with the keys and without the values",
  async (t) => {
    const rig = await VaultRig.make(t);
    const config = { tunnel: { listen: "127.0.0.1:7443" }, log: { level: "info" } };
    await noteConfiguration(rig.core, config);
    await noteConfiguration(rig.core, config);
    t.same(await leaves(rig, "configuration.change"), []);
    await noteConfiguration(rig.core, { ...config, tunnel: { listen: "10.1.2.3:7443" } });
    const [leaf] = await leaves(rig, "configuration.change");
    t.same(leaf?.details, { field: "tunnel.listen" });
  },
);

t.test("a code that was used or voided is burned in the log", async (t) => {
  const rig = await VaultRig.make(t);
  const { node } = await rig.join(t, edge);
  const [burned] = await leaves(rig, "code.burn");
  t.match(burned, { actor: { kind: "node" }, details: { reason: "used" } });
  t.match(await leaves(rig, "node.enroll"), [{ details: { codeId: burned?.subject.id } }]);
  t.equal(node.mode, "NORMAL");
});

t.test("a model is a leaf when it is new or another one, not with each device", async (t) => {
  const rig = await VaultRig.make(t);
  await rig.join(t, edge);
  await rig.addPump("plant");
  await rig.addPump("plant", { name: "pump-2" });
  t.match(await leaves(rig, "model.add"), [{ subject: { kind: "model", id: "generic" } }]);
  const constraints = JSON.parse(JSON.stringify(passwordModel).replace(/"maxLength":\d+/, '"maxLength":20'));
  await rig.addPump("plant", { name: "pump-3", model: { name: "generic", yaml: "changed: true", constraints } });
  t.equal((await leaves(rig, "model.add")).length, 2);
});

t.test("an account that is taken over is a leaf with its order", async (t) => {
  const rig = await VaultRig.make(t);
  await rig.join(t, edge);
  await rig.addPump("plant");
  await rig.setPassword(path, "First-live1");
  await rig.call("POST", "/v1/orders", { path, action: "verify" });
  const { orderId } = await rig.call("POST", "/v1/orders", { path, action: "verify", adopts: true });
  t.match(await leaves(rig, "device.adopt"), [{ subject: { kind: "account", id: path }, details: { orderId } }]);
});

t.test("an alarm that ends is a leaf", async (t) => {
  const rig = await VaultRig.make(t);
  const node = await rig.join(t, edge);
  await rig.addPump("plant");
  await rig.setPassword(path, "First-live1");
  await node.exchange();
  const at = { lo: 1_900_000_000, hi: null };
  node.report([encodeFact({ kind: "alarm", code: "TEST_ALARM", subject: path, at })]);
  await node.exchange();
  t.same(await leaves(rig, "alarm.clear"), []);
  const { fingerprint } = node.version(path, 0);
  const value = { accountId: node.accountId(path), index: { epoch: 1, number: 0 }, fingerprint };
  const leaf = { serial: 0, index: 9 };
  node.report([encodeFact({ kind: "rotation", ...value, state: "IDLE", outcome: "proven", at, leaf })]);
  await node.exchange();
  t.match(await leaves(rig, "alarm.clear"), [{ subject: { kind: "account", id: path }, details: { reason: "TEST_ALARM" } }]);

  const summary = new DeviceSummary();
  for (const told of await leaves(rig, "rotation.report")) summary.add(encodeLeaf(told));
  t.match(
    summary.accounts(),
    [{ changes: 0, lastProven: { version: "1.0" } }],
    "and the summary of an export says so: proven, not changed",
  );
});
