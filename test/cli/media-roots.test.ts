import t from "tap";
import { newestRoot } from "../../protocol/trust/index.ts";
import { MediaRig } from "./media-rig.ts";
import { raiseEpoch } from "./raise-epoch.ts";

t.test("a stick without any item brings a new root, and the edge escrows what it holds by the same stick", async (t) => {
  const rig = await MediaRig.make(t);
  const edge = await rig.edge("edge-1", "plant");
  await rig.vault.addPump("plant");
  await rig.vault.setPassword("plant/pump/operator", "before-restore");
  const [first, stick] = [rig.stick(), rig.stick()];
  await rig.atVault.write(first);
  await edge.read(first);
  await edge.write(first);
  await rig.atVault.read(first);
  await raiseEpoch(rig);
  const { files } = await rig.atVault.write(stick);
  t.same(files, [], "nothing is issued before the edge has told what it holds");
  t.equal(newestRoot(edge.core.node.trust()).document.vaultEpoch, 1);
  t.match(await edge.read(stick), [{ refused: null, applied: 0 }]);
  t.equal(newestRoot(edge.core.node.trust()).document.vaultEpoch, 2);
  await edge.write(stick);
  t.match(
    (await rig.atVault.read(stick)).filter(({ writer }) => writer === edge.id),
    [{ refused: null, refusals: [], applied: 1 }],
  );
  const { escrows } = (await rig.vault.call("GET", "/v1/escrows")) as { escrows: unknown[] };
  t.equal(escrows.length, 1);
  await edge.read(first);
  t.equal(edge.core.node.mode, "NORMAL", "a stick of the old epoch changes nothing");
});

t.test("a join request goes through a gateway that only sticks reach", async (t) => {
  const rig = await MediaRig.make(t);
  const gateway = await rig.gateway("gw-1");
  const joining = await rig.joining("edge-1", "plant", { via: "gw-1" });
  const [fromEdge, toVault, fromVault, toEdge] = [rig.stick(), rig.stick(), rig.stick(), rig.stick()];
  t.equal(await joining.tryWith(fromEdge), null);
  t.match(await gateway.read(fromEdge), [{ refused: null, refusals: [], held: 1 }]);
  const { files } = await gateway.write(toVault);
  t.ok(files.some(({ kind }) => kind === "join"));
  await rig.atVault.read(toVault);
  await rig.atVault.write(fromVault);
  await gateway.read(fromVault);
  await gateway.write(toEdge);
  t.match(await joining.tryWith(toEdge), { name: "edge-1", zone: "plant" });
});

t.test("a stick that anybody changed anywhere is refused or changes nothing else than the true one does", async (t) => {
  const rig = await MediaRig.make(t);
  const edge = await rig.edge("edge-1", "plant");
  await rig.vault.addPump("plant");
  const stick = rig.stick();
  await rig.atVault.write(stick);
  const truth = rig.openEdge(edge.store.reopen());
  await truth.read(stick);
  const whole = truth.core.node.head().seq;
  const begun = edge.core.node.head().seq;
  const codes = await rig.mutations(stick, 120, async (mount) => {
    const read = await edge.read(mount);
    const code = read[0]?.refused?.code ?? read[0]?.refusals[0]?.code ?? null;
    // Statements beside a manifest that the edge holds already may say what they want.
    if (code === null) t.equal(edge.core.node.head().seq, whole);
    else t.ok([begun, whole].includes(edge.core.node.head().seq));
    t.equal(edge.core.node.mode, "NORMAL");
    return code ?? "taken";
  });
  t.ok(new Set(codes).size >= 3, [...new Set(codes)].join(", "));
  t.match(await edge.read(stick), [{ refused: null, refusals: [] }]);
  t.equal(edge.core.node.head().seq, whole);
});
