import t from "tap";
import { nodeHealth } from "../../agent/node/index.ts";
import { encodeFact } from "../../protocol/content/index.ts";
import { MediaRig } from "./media-rig.ts";

const path = "plant/pump/operator";
const never = { name: "operator", username: "operator", rotate: "never" };

interface Listed {
  readonly name: string;
  readonly way: string;
  readonly poolsGivenOut: number | null;
  readonly behind: number;
}

async function listed(rig: MediaRig): Promise<Listed | undefined> {
  return ((await rig.vault.call("GET", "/v1/nodes")) as unknown as Listed[]).find(({ name }) => name === "edge-1");
}

const hop = { to: "gateway" as const, status: () => null, nowMs: () => 0 };

t.test(
  "down only: a lost stick costs nothing, health goes by what comes, and the vault says what it cannot know",
  async (t) => {
    const rig = await MediaRig.make(t);
    const edge = await rig.edge("edge-1", "plant");
    await rig.vault.addPump("plant");
    const set = await rig.vault.call("PUT", "/v1/nodes/edge-1/way", { way: "down" });
    t.match(set, { name: "edge-1", way: "down", missing: String });
    const bring = async () => {
      const stick = rig.stick();
      await rig.atVault.write(stick);
      return () => edge.read(stick);
    };
    await rig.vault.setPassword(path, "First-live1");
    const first = await bring();
    await rig.vault.setPassword(path, "Second-live");
    t.match(await (await bring())(), [{ refused: null, refusals: [], held: 0 }], "the first stick never came");
    const live = edge.core.credentials.find(path)?.openFields() ?? [];
    t.same(
      live.map(({ value }) => Buffer.from(value).toString()),
      ["Second-live"],
    );
    t.match(await first(), [{ refused: null, refusals: [] }], "late, it changes nothing");
    const waiting = async () => (await rig.atVault.write(rig.stick(), [edge.id])).files.length;
    const before = await waiting();
    for (let i = 0; i < 5; i += 1) await rig.vault.setPassword(path, `Third-live${i}`);
    t.equal(await waiting(), before, "what waits is one state, however many changes nobody acknowledged");
    t.match(await listed(rig), { way: "down", poolsGivenOut: 1 });

    const health = () => nodeHealth({ ...edge.core, hop, way: "down" }).checks.find(({ name }) => name === "relay");
    t.match(health(), { ok: true });
    t.match(
      nodeHealth({ ...edge.core, hop, way: "both" }).checks.find(({ name }) => name === "relay"),
      { ok: true },
      "the join was answered",
    );
    rig.vault.seams.nowMs += 200 * 86_400_000;
    t.match(health(), { ok: false }, "no word for longer than staleAfterS");
    await rig.vault.setPassword(path, "Fourth-live");
    await (await bring())();
    t.match(health(), { ok: true });
  },
);

t.test("down only: rotation stops at the pool's end and says so, until a stick goes out", async (t) => {
  const rig = await MediaRig.make(t);
  const edge = await rig.edge("edge-1", "plant");
  await rig.vault.addPump("plant");
  await rig.vault.call("PUT", "/v1/nodes/edge-1/way", { way: "down" });
  await rig.vault.setPassword(path, "First-live1");
  const stick = rig.stick();
  await rig.atVault.write(stick);
  await edge.read(stick);
  const { engine, credentials } = edge.core;
  const account = credentials.accountAt(path);
  if (account === null) throw new Error("no account");
  t.equal(account.record.state.pool.length, 2);
  await rig.atVault.write(stick);
  await edge.read(stick);
  t.equal(account.record.state.pool.length, 2, "nothing more comes: the vault gives out two and waits for a report");
  t.match(await listed(rig), { poolsGivenOut: 1 });
  account.record = { ...account.record, state: { ...account.record.state, pool: [] } };
  const codes = engine.checks(account).map((check) => JSON.stringify(check));
  t.ok(
    codes.some((check) => check.includes("ROTATION_POOL_EMPTY")),
    "where they are used up, the edge names it",
  );
});

t.test("up only: reports are folded, orders have to wait for a stick, and the vault takes all of it in", async (t) => {
  const rig = await MediaRig.make(t);
  const edge = await rig.edge("edge-1", "plant");
  await rig.vault.addPump("plant");
  await rig.vault.addPump("plant", { name: "valve", accounts: [never] });
  await rig.vault.setPassword(path, "First-live1");
  await rig.vault.call("PUT", "/v1/nodes/edge-1/way", { way: "up" });
  const order = (more: object) => rig.vault.call("POST", "/v1/orders", { path, action: "verify", ...more });
  await t.rejects(order({}), { code: "ORDER_ONE_WAY" });
  await order({ withinS: 7 * 86_400 });
  const down = rig.stick();
  await rig.atVault.write(down);
  await edge.read(down);
  const { node } = edge.core;
  for (let i = 0; i < 200; i += 1) {
    edge.store.transaction((tx) =>
      node.queueReport(tx, [encodeFact({ kind: "alarm", code: "TEST_ALARM", subject: `${i}`, at: { lo: 1, hi: null } })]),
    );
    node.flushReport();
  }
  const up = rig.stick();
  const { files } = await edge.write(up);
  t.ok(files.length <= 65, `${files.length} reports are carried, of 200`);
  t.match(
    (await rig.atVault.read(up)).filter(({ writer }) => writer === edge.id),
    [{ refused: null, refusals: [], held: 0 }],
  );
  const alarms = await rig.vault.core.store.read((tx) => tx.selectFrom("alarms").select("code").execute());
  t.equal(alarms.filter(({ code }) => code === "TEST_ALARM").length, 200, "nothing is lost by folding");
  t.match(await listed(rig), { way: "up" });
  await t.rejects(rig.vault.call("PUT", "/v1/nodes/edge-1/way", { way: "sideways" }));
  t.match(await rig.vault.call("PUT", "/v1/nodes/edge-1/way", { way: "both" }), { missing: null });
});
