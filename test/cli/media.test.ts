import t from "tap";
import { loadConfig } from "../../agent/config/index.ts";
import { edgeConfigSchema, start } from "../../edge/index.ts";
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
  const atHome = await rig.atVault.read(stick);
  t.equal(atHome.length, 1, "its own folder is none of its concern");
  t.match(atHome[0], { writer: edge.id, refused: null, refusals: [], applied: 1 });
  const [node] = (await rig.vault.call("GET", "/v1/nodes")) as unknown as { behind: number }[];
  t.equal(node?.behind, 0);
  const heard = edge.core.node.vaultLastHeardAtMs;
  rig.vault.seams.nowMs += 86_400_000;
  await rig.atVault.write(stick);
  await edge.read(stick);
  t.not(edge.core.node.time().hi, null, "the stick that answers its nonce tells it the time");
  t.ok((edge.core.node.vaultLastHeardAtMs ?? 0) >= (heard ?? 0));
});

t.test("an edge joins by a stick that goes to the vault and back, a month after the code was made", async (t) => {
  const rig = await MediaRig.make(t);
  const { seams } = rig.vault;
  const joining = await rig.joiningFolder();
  const { folder, unlock } = joining;
  const stick = rig.stick();
  t.equal(await joining.join(stick), null, "the request lies on the stick");
  t.equal(await joining.join(stick), null, "asked again, the same request lies there");
  seams.nowMs += 29 * 86_400_000;
  t.match(await rig.atVault.read(stick), [{ refused: null, applied: 1 }]);
  t.match(await rig.atVault.read(stick), [{ refused: null, applied: 0, known: 1 }], "read again, it is known");
  await rig.vault.addPump("plant");
  const other = rig.stick();
  await rig.atVault.write(other);
  const member = await joining.join(other);
  t.match(member, { name: "edge-1", zone: "plant" });
  const config = loadConfig(folder.config, edgeConfigSchema);
  t.match(config, { gateway: null, staleAfterS: 45 * 86_400 });
  const edge = await start({ folder, config, version: "0" }, seams, unlock);
  t.teardown(() => edge.close());
  t.equal(edge.parts.hop.status(), null);
  const [read] = await rig.at(edge.parts).read(other);
  t.match(read, { refused: null, applied: 1, known: 1 });
  t.equal(edge.parts.node.mode, "NORMAL");
});

t.test("a code for a stick ends after thirty days", async (t) => {
  const rig = await MediaRig.make(t);
  const joining = await rig.joiningFolder();
  const stick = rig.stick();
  await joining.join(stick);
  rig.vault.seams.nowMs += 30 * 86_400_000;
  const [read] = await rig.atVault.read(stick);
  t.match(read?.refusals, [{ code: "ENROL_CODE_EXPIRED" }]);
});
