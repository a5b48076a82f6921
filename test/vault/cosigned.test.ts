import t from "tap";
import { memberExport } from "../../agent/custody/index.ts";
import { decodeCheckpoint } from "../../protocol/audit/index.ts";
import { newestRoot } from "../../protocol/trust/index.ts";
import { type TestNode, VaultRig } from "./vault-rig.ts";

const path = "plant/pump/operator";
const edge = { name: "edge-1", role: "edge", zone: "plant", address: "127.0.0.1:7444" };

async function plant(t: Parameters<typeof VaultRig.make>[0]): Promise<{ rig: VaultRig; node: TestNode }> {
  const rig = await VaultRig.make(t);
  const node = await rig.join(t, edge);
  await rig.addPump("plant");
  await rig.setPassword(path, "First-live1");
  await node.exchange();
  return { rig, node };
}

t.test("a node gets its head back under the vault's witness key, keeps the newest, and exports it", async (t) => {
  const { rig, node } = await plant(t);
  await rig.setPassword(path, "Second-live");
  await node.exchange();
  const first = node.audit.cosigned();
  t.ok(first !== null, "with the bundle after the report");
  await rig.setPassword(path, "Third-live1");
  await node.exchange();
  const note = node.audit.cosigned() ?? new Uint8Array(0);
  const { size, root } = decodeCheckpoint(note);
  t.ok(size > decodeCheckpoint(first ?? new Uint8Array(0)).size);
  t.same({ size, root }, { size: node.audit.acknowledged()?.size, root: node.audit.acknowledged()?.root });
  const [held] = await rig.vault.audit.asExport("").cosigned();
  t.ok(decodeCheckpoint(held?.note ?? new Uint8Array(0)).size >= size);
  const source = memberExport("edge", { node: node.node, audit: node.audit, store: node.store } as never);
  t.same(await source.cosigned(), [{ name: node.audit.name.node, note }]);
  t.equal(newestRoot(node.node.trust()).document.witnessKeys.length, 1);
});

t.test("a cosignature that does not verify is left out, and the bundle counts all the same", async (t) => {
  const { rig, node } = await plant(t);
  const kept = node.audit.cosigned();
  const honest = rig.core.log.cosignature.bind(rig.core.log);
  rig.core.log.cosignature = async (...told) => {
    const found = await honest(...told);
    return found === null ? null : { ...found, timeS: found.timeS + 1 };
  };
  for (const password of ["Second-live", "Third-live1"]) {
    await rig.setPassword(path, password);
    await node.exchange();
  }
  t.same(node.values(path)["current"], ["Third-live1"]);
  t.same(node.audit.cosigned(), kept);
});
