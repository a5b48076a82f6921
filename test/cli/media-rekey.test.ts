import { readdirSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { exchangeByMedia } from "../../agent/join/media-exchange.ts";
import { rekeyNode } from "../../agent/node/index.ts";
import { parseEnrolmentCode } from "../../protocol/join/index.ts";
import { memberOf, newestRoot } from "../../protocol/trust/index.ts";
import { MediaRig } from "./media-rig.ts";
import { raiseEpoch } from "./raise-epoch.ts";

const path = "plant/pump/operator";

/** A zone that only sticks reach: its edge is closed, and asks for new keys with each stick that it is given. */
async function asking(t: Parameters<typeof MediaRig.make>[0], enrolment: object = {}) {
  const rig = await MediaRig.make(t);
  const gateway = await rig.gateway("gw-1");
  const edge = await rig.edge("edge-1", "plant", enrolment);
  await rig.vault.addPump("plant");
  await rig.vault.setPassword(path, "First-live1");
  const first = rig.stick();
  await rig.atVault.write(first);
  await edge.read(first);
  await edge.write(first);
  await rig.atVault.read(first);
  await edge.close();
  const { code } = await rig.vault.call("POST", "/v1/nodes/edge-1/rekey", { media: true });
  const store = edge.store.reopen();
  const { seams } = rig.vault;
  const options = { store, code: parseEnrolmentCode(String(code)), role: 2 as const, seams };
  const tryWith = (mount: string) => rekeyNode({ ...options, exchange: (ask) => exchangeByMedia(ask, { mount, seams }) });
  return { rig, gateway, edge, store, tryWith, first };
}

t.test("a node gets new keys by stick: the request out, the statement back, a month later", async (t) => {
  const { rig, edge, store, tryWith, first } = await asking(t);
  const before = edge.core.node.member().statement;
  const [out, back] = [rig.stick(), rig.stick()];
  t.equal(await tryWith(out), null, "the request lies on the stick");
  t.equal(await tryWith(out), null, "asked again, the same request lies there");
  t.equal(readdirSync(join(out, "TIDEGATE")).filter((name) => name.length === 32).length, 1);
  rig.vault.seams.nowMs += 29 * 86_400_000;
  t.match(await rig.atVault.read(out), [{ refused: null, refusals: [], applied: 1 }]);
  t.match(await rig.atVault.read(out), [{ refused: null, refusals: [], applied: 0, known: 1 }], "read again, it is known");
  await rig.vault.setPassword(path, "Second-live");
  const answers = (await rig.atVault.write(back)).files.map(({ id }) => id);
  const member = await tryWith(back);
  t.match(member, { serial: 2, name: "edge-1" });
  t.same(member?.nodeId, before.nodeId, "its id is for ever");
  t.notSame([member?.signKey, member?.sealKey], [before.signKey, before.sealKey]);
  const now = rig.openEdge(store);
  t.match(await now.read(back), [{ refused: null, refusals: [] }]);
  t.match(
    (await now.read(first)).map(({ writer, refused }) => [writer === now.id, refused]),
    [[false, null]],
    "its own folder of before is passed over like any folder of its own",
  );
  const live = now.core.credentials.find(path)?.openFields() ?? [];
  t.same(
    live.map(({ value }) => Buffer.from(value).toString()),
    ["Second-live"],
    "what was set after the answer followed with the same stick",
  );
  const home = rig.stick();
  await now.write(home);
  t.match(
    (await rig.atVault.read(home)).filter(({ writer }) => writer === now.id),
    [{ refused: null, refusals: [] }],
    "what it signs now counts",
  );
  const next = (await rig.atVault.write(rig.stick(), [edge.id])).files;
  t.notOk(
    next.some(({ id }) => answers.includes(id)),
    "the answer is not carried for ever",
  );
});

t.test(
  "the answer about new keys is found beside later snapshots, and another stick's answer is not taken for it",
  async (t) => {
    const { rig, edge, tryWith } = await asking(t);
    const [old, out, back] = [rig.stick(), rig.stick(), rig.stick()];
    await rig.atVault.write(old);
    t.equal(await tryWith(old), null, "what the vault wrote before it was asked is no answer");
    await tryWith(out);
    await rig.atVault.read(out);
    for (let i = 0; i < 40; i += 1) await rig.vault.setPassword(path, `Later-${i}`);
    await rig.atVault.write(back);
    t.match(await tryWith(back), { serial: 2 });
    t.ok(edge);
  },
);

t.test("a request for new keys goes through a gateway that only sticks reach", async (t) => {
  const { rig, gateway, store, tryWith } = await asking(t, { via: "gw-1" });
  const known = rig.stick();
  await rig.atVault.write(known);
  await gateway.read(known);
  const [fromEdge, toVault, fromVault, toEdge] = [rig.stick(), rig.stick(), rig.stick(), rig.stick()];
  t.equal(await tryWith(fromEdge), null);
  t.match(await gateway.read(fromEdge), [{ refused: null, refusals: [], held: 1 }]);
  await gateway.write(toVault);
  await rig.atVault.read(toVault);
  await rig.atVault.write(fromVault);
  await gateway.read(fromVault);
  await gateway.write(toEdge);
  t.match(await tryWith(toEdge), { serial: 2 });
  const now = rig.openEdge(store);
  t.equal(memberOf(gateway.core.parts.node.trust(), now.core.node.nodeId).serial, 2, "the gateway knows of it too");
});

t.test(
  "roots reach nodes that are unsettled and have no wire: through a gateway, in any order, by what stands beside a manifest",
  async (t) => {
    const rig = await MediaRig.make(t);
    const gateway = await rig.gateway("gw-1");
    const edge = await rig.edge("edge-1", "plant", { via: "gw-1" });
    await rig.vault.addPump("plant");
    await rig.vault.setPassword(path, "before-restore");
    const carry = async () => {
      const [down, on, up, home] = [rig.stick(), rig.stick(), rig.stick(), rig.stick()];
      await rig.atVault.write(down);
      await gateway.read(down);
      await gateway.write(on);
      await edge.read(on);
      await edge.write(up);
      await gateway.read(up);
      await gateway.write(home);
      await rig.atVault.read(home);
    };
    await carry();
    await carry();
    await raiseEpoch(rig);
    await raiseEpoch(rig);
    const epochs = () =>
      [gateway, edge].map(
        ({ core }) => newestRoot(("parts" in core ? core.parts.node : core.node).trust()).document.vaultEpoch,
      );
    t.same(epochs(), [1, 1]);
    t.equal(
      (await rig.atVault.write(rig.stick())).files.length,
      0,
      "unsettled: nothing may be issued, and the stick goes out all the same",
    );
    await carry();
    t.same(epochs(), [3, 3], "both roots, in one round, without a bundle");
    await carry();
    const { escrows } = (await rig.vault.call("GET", "/v1/escrows")) as { escrows: unknown[] };
    t.equal(escrows.length, 1, "and what the edge holds came back by the same sticks");
  },
);
