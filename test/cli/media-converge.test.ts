import t from "tap";
import { factType } from "../../protocol/content/index.ts";
import { issueBundle } from "../../vault/streams/index.ts";
import { foldBundlesAt } from "../../vault/streams/limits.ts";
import { MediaRig } from "./media-rig.ts";

/** Deterministic dice. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % sides;
  };
}

for (const seed of [1, 2, 3, 4]) {
  t.test(`sticks that are written and read in any order converge, seed ${seed}`, async (t) => {
    const roll = dice(seed);
    const rig = await MediaRig.make(t);
    const edge = await rig.edge("edge-1", "plant");
    await rig.vault.addPump("plant");
    const sticks = [rig.stick(), rig.stick(), rig.stick()];
    const stick = () => sticks[roll(sticks.length)] ?? "";
    const refusals: string[] = [];
    const read = async (node: typeof edge | typeof rig.atVault) => {
      const folders = await node.read(stick()).catch((error) => (error.code === "MEDIA_EMPTY" ? [] : Promise.reject(error)));
      for (const { refused, refusals: items } of folders)
        refusals.push(...(refused === null ? [] : [refused.code]), ...items.map(({ code }) => code));
    };
    let password = 0;
    for (let step = 0; step < 30; step += 1) {
      const what = roll(6);
      if (what === 0) await rig.vault.setPassword("plant/pump/operator", `password-${++password}`);
      if (what === 1) await rig.atVault.write(stick());
      if (what === 2) await edge.write(stick());
      if (what === 3) await read(rig.atVault);
      if (what === 4) await read(edge);
      if (what === 5) rig.vault.seams.nowMs += 3_600_000;
    }
    // One stick goes to and fro until nothing is left to say.
    await rig.vault.setPassword("plant/pump/operator", "the-last-one");
    for (let round = 0; round < 3; round += 1) {
      const last = rig.stick();
      await rig.atVault.write(last);
      sticks.splice(0, 3, last);
      await read(edge);
      await edge.write(last);
      await read(rig.atVault);
    }
    t.same(refusals, [], "nothing was ever refused");
    const live = edge.core.node.withState((view) =>
      [...view.credentials.values()].flat().map(({ content }) => Buffer.from(content.fields[0]?.value ?? []).toString()),
    );
    t.ok(live.includes("the-last-one"));
    const [node] = (await rig.vault.call("GET", "/v1/nodes")) as unknown as { behind: number; state: string }[];
    t.match(node, { behind: 0, state: "active" });
    t.equal(edge.core.node.mode, "NORMAL");
  });
}

t.test("one stick serves several edges, and each takes its own", async (t) => {
  const rig = await MediaRig.make(t);
  const edges = await Promise.all(["a", "b", "c"].map((zone) => rig.edge(`edge-${zone}`, zone)));
  for (const zone of ["a", "b", "c"]) {
    await rig.vault.addPump(zone);
    await rig.vault.setPassword(`${zone}/pump/operator`, `password-${zone}`);
  }
  const stick = rig.stick();
  await rig.atVault.write(stick);
  for (const [i, edge] of edges.entries()) {
    const folders = await edge.read(stick);
    t.equal(
      folders.reduce((sum, { refusals }) => sum + refusals.length, 0),
      0,
    );
    t.ok(edge.core.credentials.accountAt(`${"abc"[i]}/pump/operator`));
    t.equal(edge.core.engine.accounts.size, 1);
    await edge.write(stick);
  }
  const folders = await rig.atVault.read(stick);
  t.equal(folders.filter(({ applied }) => applied > 0).length, 3);
  const nodes = (await rig.vault.call("GET", "/v1/nodes")) as unknown as { behind: number }[];
  t.same(
    nodes.map(({ behind }) => behind),
    [0, 0, 0],
  );
  const forB = rig.stick();
  await rig.vault.setPassword("b/pump/operator", "another-b");
  await rig.vault.setPassword("c/pump/operator", "another-c");
  const written = await rig.atVault.write(forB, [edges[1]?.id ?? ""]);
  t.same([...new Set(written.files.map(({ recipient }) => recipient))], [edges[1]?.id], "only what is for one node");
});

t.test("a gateway carries by stick for the edges behind it, which it learns of from that stick", async (t) => {
  const rig = await MediaRig.make(t);
  const gateway = await rig.gateway("gw-1");
  const edge = await rig.edge("edge-1", "plant", { via: "gw-1" });
  await rig.vault.addPump("plant");
  await rig.vault.setPassword("plant/pump/operator", "by-gateway");
  const [toGateway, toEdge, back, home] = [rig.stick(), rig.stick(), rig.stick(), rig.stick()];
  await rig.atVault.write(toGateway);
  t.match(await gateway.read(toGateway), [{ refused: null, refusals: [], others: 0 }]);
  await gateway.write(toEdge);
  t.match(await edge.read(toEdge), [{ refused: null, refusals: [] }]);
  t.ok(edge.core.credentials.accountAt("plant/pump/operator"));
  await edge.write(back);
  t.match(await gateway.read(back), [{ refused: null, refusals: [], applied: 1 }]);
  const kinds = (await gateway.write(home)).files.map(
    ({ kind, recipient }) => `${kind} ${recipient === edge.id ? "down" : "up"}`,
  );
  t.ok(kinds.includes("report up"));
  t.notOk(kinds.includes("bundle down"), "what the edge has acknowledged is dropped");
  t.match(await rig.atVault.read(home), [{ refused: null, refusals: [], applied: 2 }]);
  const nodes = (await rig.vault.call("GET", "/v1/nodes")) as unknown as { behind: number }[];
  t.same(
    nodes.map(({ behind }) => behind),
    [0, 0],
  );
});

t.test("a node in quarantine gets by stick the snapshot that answers its nonce, and nothing else", async (t) => {
  const rig = await MediaRig.make(t);
  const edge = await rig.edge("edge-1", "plant");
  await rig.vault.addPump("plant");
  const [first, second] = [rig.stick(), rig.stick()];
  const forged = await twin(rig, edge.core.node.nodeId);
  await rig.vault.setPassword("plant/pump/operator", "before-the-fork");
  await rig.atVault.write(first);
  await edge.read(first);
  t.match(edge.core.node.applyCarrier(forged), { outcome: "refused", code: "STREAM_FORK" });
  t.equal(edge.core.node.mode, "QUARANTINE");
  await rig.vault.setPassword("plant/pump/operator", "after-the-fork");
  await rig.atVault.write(first);
  const refusals = (await edge.read(first)).flatMap((folder) => folder.refusals.map(({ code }) => code));
  t.ok(refusals.includes("STREAM_NONCE_REQUIRED"), "what does not answer its nonce is not applied");
  await edge.write(second);
  await rig.atVault.read(second);
  await rig.atVault.write(second);
  await edge.read(second);
  t.equal(edge.core.node.mode, "NORMAL");
  const values = edge.core.node.withState((view) =>
    [...view.credentials.values()].flat().map(({ content }) => Buffer.from(content.fields[0]?.value ?? []).toString()),
  );
  t.ok(values.includes("after-the-fork"));
});

/** A bundle under the number that the next one will have too: what a vault makes whose store went back. */
async function twin(rig: MediaRig, nodeId: Uint8Array): Promise<Uint8Array> {
  const { core } = rig.vault;
  let carrier: Uint8Array | null = null;
  const undone = new Error("undone");
  await core.store
    .transaction(async (tx) => {
      const node = await tx.selectFrom("nodes").selectAll().where("node_id", "=", nodeId).executeTakeFirstOrThrow();
      carrier = await issueBundle(core, tx, node, { always: true });
      throw undone;
    })
    .catch((error) => (error === undone ? null : Promise.reject(error)));
  if (carrier === null) throw new Error("nothing was issued");
  return carrier;
}

t.test("facts that an edge gathered offline for months reach the vault by one stick", async (t) => {
  const rig = await MediaRig.make(t);
  const edge = await rig.edge("edge-1", "plant");
  await rig.vault.addPump("plant");
  for (let day = 0; day < 130; day += 1) {
    rig.vault.seams.nowMs += 86_400_000;
    edge.store.transaction((tx) =>
      edge.core.node.queueReport(tx, [{ type: factType.audit, payload: Uint8Array.of(0x82, 0x01, 0x01) }]),
    );
    edge.core.node.flushReport();
  }
  const stick = rig.stick();
  const { files } = await edge.write(stick);
  t.ok(files.length < 70, `${files.length} files: old reports were folded`);
  t.match(await rig.atVault.read(stick), [{ refused: null, refusals: [] }]);
  const [node] = (await rig.vault.call("GET", "/v1/nodes")) as unknown as { state: string }[];
  t.equal(node?.state, "active");
});

t.test("where nothing comes back, one stick still brings the newest state after hundreds of changes", async (t) => {
  const rig = await MediaRig.make(t);
  const edge = await rig.edge("edge-1", "plant");
  await rig.vault.addPump("plant");
  const { core } = rig.vault;
  await core.store.transaction(async (tx) => {
    const node = await tx.selectFrom("nodes").selectAll().executeTakeFirstOrThrow();
    for (let each = 0; each < foldBundlesAt; each += 1) await issueBundle(core, tx, node, { always: true, accounts: [] });
  });
  await rig.vault.setPassword("plant/pump/operator", "the-last-one");
  const stick = rig.stick();
  const { files } = await rig.atVault.write(stick);
  t.ok(files.length <= 5, `${files.length} files: what lies behind a snapshot is not carried`);
  t.match(await edge.read(stick), [{ refused: null, refusals: [] }]);
  const values = edge.core.node.withState((view) =>
    [...view.credentials.values()].flat().map(({ content }) => Buffer.from(content.fields[0]?.value ?? []).toString()),
  );
  t.ok(values.includes("the-last-one"));
});

t.test("an edge's notices reach its gateway by stick, as often as they are carried", async (t) => {
  const rig = await MediaRig.make(t);
  const gateway = await rig.gateway("gw-1");
  const edge = await rig.edge("edge-1", "plant", { via: "gw-1" });
  await rig.vault.addPump("plant");
  await rig.vault.setPassword("plant/pump/operator", "first");
  await rig.vault.call("POST", "/v1/applications", { name: "scada", node: "gw-1" });
  await rig.vault.call("POST", "/v1/applications/scada/grants", { pattern: "plant/**" });
  const stick = rig.stick();
  const carry = async () => {
    await rig.atVault.write(stick);
    await gateway.read(stick);
    await gateway.write(stick);
    await rig.atVault.read(stick);
    await edge.read(stick);
    await edge.write(stick);
    await rig.atVault.read(stick);
  };
  for (let round = 0; round < 3; round += 1) await carry();
  const { notices, store, credentials } = edge.core;
  const account = credentials.accountAt("plant/pump/operator");
  const accountId = Buffer.from(account?.key ?? "", "hex");
  t.equal(accountId.length, 16);
  const sent = { epoch: 1, number: 1 };
  store.transaction((tx) =>
    notices.note(tx, { accountId: new Uint8Array(accountId), index: sent, state: "reverted", leaf: { serial: 0, index: 900 } }),
  );
  const { files } = await edge.write(stick);
  t.same(
    files.filter(({ kind }) => kind === "notice").map(({ recipient }) => recipient),
    [gateway.id],
  );
  for (const _again of [1, 2]) {
    const folders = await gateway.read(stick);
    t.same(
      folders.flatMap(({ refusals }) => refusals),
      [],
    );
    t.ok(folders.some(({ applied }) => applied > 0));
  }
  const leaves = gateway.core.parts.audit.leaves(0, 1_000).map((leaf) => Buffer.from(leaf).toString());
  t.equal(leaves.filter((leaf) => leaf.includes('"credential.switch"')).length, 1, "taken once, whatever is carried again");
});
