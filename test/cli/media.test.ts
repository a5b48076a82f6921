import t from "tap";
import { MediaRig } from "./media-rig.ts";

t.test("a change reaches an edge by stick, and its report the vault", async (t) => {
  const rig = await MediaRig.make(t);
  const edge = await rig.edge("edge-1", "plant");
  await rig.vault.addPump("plant");
  await rig.vault.setPassword("plant/pump/operator", "first-password");
  const stick = rig.stick();
  const written = await rig.atVault.write(stick);
  t.ok(written.files.length > 0);
  const [read] = await edge.read(stick);
  t.match(read, { refused: null, refusals: [], held: 0 });
  t.ok((read?.applied ?? 0) > 0);
  t.equal(edge.core.credentials.accountAt("plant/pump/operator")?.content?.path, "plant/pump/operator");
  const back = await edge.write(stick);
  t.same(
    back.files.map(({ kind }) => kind),
    ["report"],
  );
  const [, own] = await rig.atVault.read(stick).then((all) => all.sort((a, b) => a.applied - b.applied));
  t.match(own, { refused: null, refusals: [], applied: 1 });
  const [node] = (await rig.vault.call("GET", "/v1/nodes")) as unknown as { behind: number }[];
  t.equal(node?.behind, 0);
});
