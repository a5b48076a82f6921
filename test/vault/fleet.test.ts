import t from "tap";
import { fromHex } from "../../protocol/base/index.ts";
import { encodeFact } from "../../protocol/content/index.ts";
import { nextMove } from "../../vault/fleet/moves.ts";
import { passwordModel } from "./rig.ts";
import { type TestNode, VaultRig } from "./vault-rig.ts";

type Member = Parameters<typeof nextMove>[0][number];

/** "c+ c. .1 .2 !2": canary or not, how it stands, and its zone. */
function members(text: string): Member[] {
  const states: Record<string, Member["state"]> = {
    ".": "waiting",
    o: "ordered",
    "+": "done",
    x: "failed",
    r: "refused",
    "!": "failed",
  };
  return text.split(" ").map((word, place) => {
    const canary = word.startsWith("c");
    const [mark = "", zone = "1"] = [...(canary ? word.slice(1) : word)];
    return {
      place,
      path: `z${zone}/d${place}/a`,
      zone,
      canary,
      state: states[mark] ?? "waiting",
      code: mark === "!" ? "ROTATION_UNKNOWN" : null,
    };
  });
}

t.test("what a fleet rotation does next follows from how its members stand", async (t) => {
  const table: [text: string, parallel: number, move: string][] = [
    ["c. . .", 2, "order 0"],
    ["co . .", 2, "wait"],
    ["c+ . . .", 2, "order 1 2"],
    ["c+ o1 .1 .1 .2", 2, "order 2 4"],
    ["c+ co .", 9, "wait"],
    ["cx . .", 2, "stop FLEET_CANARY_FAILED z1/d0/a"],
    ["cr . .", 2, "stop FLEET_CANARY_FAILED z1/d0/a"],
    ["c! . .", 2, "stop FLEET_MEMBER_UNKNOWN z1/d0/a"],
    ["c+ o !2 .", 2, "stop FLEET_MEMBER_UNKNOWN z2/d2/a"],
    ["c+ x r .", 1, "order 3"],
    ["c+ x r o", 1, "wait"],
    ["c+ x r +", 1, "finish"],
    [". .", 1, "order 0"],
  ];
  for (const [text, parallel, expected] of table) {
    const move = nextMove(members(text), parallel);
    const said =
      move.kind === "order"
        ? `order ${move.members.map(({ place }) => place).join(" ")}`
        : move.kind === "stop"
          ? `stop ${move.code} ${move.path}`
          : move.kind;
    t.equal(said, expected, text);
  }
});

interface Run {
  readonly fleetId: string;
  readonly state: string;
  readonly code: string | null;
  readonly stoppedBy: string | null;
  readonly members: readonly { path: string; canary: boolean; state: string; code: string | null }[];
}

/** A plant with one edge and `count` pumps, each with a credential. */
async function plant(t: Parameters<typeof VaultRig.make>[0], count: number): Promise<{ rig: VaultRig; edge: TestNode }> {
  const rig = await VaultRig.make(t);
  const gateway = await rig.join(t, {
    name: "gw",
    role: "gateway",
    zone: "dmz",
    address: "127.0.0.1:7444",
    hosts: ["127.0.0.1"],
  });
  await gateway.exchange();
  const edge = await rig.join(t, { name: "e1", role: "edge", zone: "plant", via: "gw", address: "127.0.0.1:7444" });
  for (let i = 0; i < count; i += 1) {
    await rig.call("POST", "/v1/devices", {
      name: `pump-${i}`,
      zone: "plant",
      model: { name: "generic", constraints: passwordModel },
      host: "10.0.0.9",
      port: 161,
      accounts: [{ name: "operator", username: "operator" }],
    });
    await rig.setPassword(`plant/pump-${i}/operator`, `secret-${i}`);
  }
  await edge.exchange();
  return { rig, edge };
}

/** Open orders at the edge: order id by path. */
function orders(edge: TestNode): Map<string, string> {
  return edge.node.withState((view) => {
    const found = new Map<string, string>();
    for (const [id, { content }] of view.orders) {
      const account = view.accounts.get(Buffer.from(content.accountId).toString("hex"));
      found.set(account?.content.path ?? "?", id);
    }
    return found;
  });
}

async function ends(edge: TestNode, path: string, outcome: string, code: string | null): Promise<void> {
  const orderId = fromHex(orders(edge).get(path) ?? "") ?? new Uint8Array(16);
  edge.report([encodeFact({ kind: "order-outcome", orderId, outcome, code })]);
  await edge.exchange();
}

const status = async (rig: VaultRig) => (await rig.call("GET", "/v1/fleet/newest")) as unknown as Run;
const short = (run: Run) => run.members.map(({ state }) => state).join(" ");

t.test("the canary goes first, then the rest, a few at a time, until all are done", async (t) => {
  const { rig, edge } = await plant(t, 5);
  await rig.call("POST", "/v1/fleet", { parallel: 2 });
  await edge.exchange();
  t.same([...orders(edge).keys()], ["plant/pump-0/operator"]);
  await ends(edge, "plant/pump-0/operator", "done", null);
  t.same([...orders(edge).keys()].sort(), ["plant/pump-1/operator", "plant/pump-2/operator"]);
  await ends(edge, "plant/pump-2/operator", "refused", "ROTATION_POOL_EMPTY");
  t.equal(short(await status(rig)), "done ordered refused ordered waiting");
  for (const i of [1, 3, 4]) await ends(edge, `plant/pump-${i}/operator`, "done", null);
  const run = await status(rig);
  t.equal(run.state, "done");
  t.equal(short(run), "done done refused done done");
});

t.test("the first account whose password is not known stops it, what waits is withdrawn, and it can be resumed", async (t) => {
  const { rig, edge } = await plant(t, 4);
  await rig.call("POST", "/v1/fleet", { parallel: 2 });
  await edge.exchange();
  await ends(edge, "plant/pump-0/operator", "done", null);
  await ends(edge, "plant/pump-1/operator", "failed", "ROTATION_UNKNOWN");
  const stopped = await status(rig);
  t.match(stopped, { state: "stopped", code: "FLEET_MEMBER_UNKNOWN", stoppedBy: "plant/pump-1/operator" });
  t.equal(short(stopped), "done failed withdrawn waiting");
  t.equal(orders(edge).size, 0, "the edge has no order left");
  await t.rejects(rig.call("POST", `/v1/fleet/${stopped.fleetId}/stop`), { code: "FLEET_STATE" });
  await rig.reopen();
  await rig.call("POST", `/v1/fleet/${stopped.fleetId}/resume`);
  await edge.exchange();
  t.equal(short(await status(rig)), "done ordered ordered waiting");
  for (const i of [1, 2, 3]) await ends(edge, `plant/pump-${i}/operator`, "done", null);
  t.equal((await status(rig)).state, "done");
});

t.test("a canary that is merely refused stops it too", async (t) => {
  const { rig, edge } = await plant(t, 2);
  await rig.call("POST", "/v1/fleet", {});
  await edge.exchange();
  await ends(edge, "plant/pump-0/operator", "refused", "ROTATION_IDENTITY");
  t.match(await status(rig), { state: "stopped", code: "FLEET_CANARY_FAILED" });
});

t.test("an operator's stop withdraws what has not begun; a second run waits until then", async (t) => {
  const { rig, edge } = await plant(t, 2);
  const { fleetId } = await rig.call("POST", "/v1/fleet", {});
  await t.rejects(rig.call("POST", "/v1/fleet", {}), { code: "FLEET_RUNNING" });
  await rig.call("POST", `/v1/fleet/${fleetId}/stop`);
  await edge.exchange();
  t.equal(orders(edge).size, 0);
  t.match(await status(rig), { state: "stopped", code: "FLEET_STOPPED" });
  await rig.call("POST", "/v1/fleet", {});
});

t.test("filters choose; a dry run orders nothing; what fits nothing is refused", async (t) => {
  const { rig, edge } = await plant(t, 3);
  const plan = await rig.call("POST", "/v1/fleet", { paths: ["plant/pump-2/*"], dryRun: true });
  t.same(plan, { members: [{ path: "plant/pump-2/operator", canary: true }] });
  await edge.exchange();
  t.equal(orders(edge).size, 0);
  for (const filter of [{ zones: ["dmz"] }, { models: ["other"] }, { paths: ["plant/none/*"] }])
    await t.rejects(rig.call("POST", "/v1/fleet", filter), { code: "FLEET_EMPTY" });
  await t.rejects(rig.call("GET", "/v1/fleet/newest"), { code: "FLEET_NOT_FOUND" });
  for (const wrong of [{ parallel: 0 }, { parallel: 65 }, { canaries: 101 }, { withinS: 59 }])
    await t.rejects(rig.call("POST", "/v1/fleet", wrong), { code: "REQUEST_INVALID" });
  for (const right of [
    { parallel: 64, dryRun: true },
    { canaries: 100, dryRun: true },
  ])
    t.ok(await rig.call("POST", "/v1/fleet", right));
});

t.test("an order that runs out without an answer counts as expired", async (t) => {
  const { rig, edge } = await plant(t, 2);
  await rig.call("POST", "/v1/fleet", { canaries: 0, withinS: 60, parallel: 9 });
  await edge.exchange();
  rig.seams.nowMs += 180_000;
  t.equal(short(await status(rig)), "ordered ordered");
  rig.seams.nowMs += 1_000;
  t.equal(short(await status(rig)), "expired expired");
});

t.test("what a replaced gateway was given is rotated until it holds nothing that is in use", async (t) => {
  const { rig } = await plant(t, 2);
  await rig.call("POST", "/v1/applications", { name: "historian" });
  await rig.call("POST", "/v1/applications/historian/grants", { pattern: "plant/pump-0/*" });
  await t.rejects(rig.call("POST", "/v1/fleet", { exposedBy: "gw" }), { code: "FLEET_STILL_SERVED" });
  await t.rejects(rig.call("POST", "/v1/fleet", { exposedBy: "other" }), { code: "FLEET_NOT_FOUND" });
  await rig.join(t, { name: "gw", role: "gateway", zone: "dmz", address: "127.0.0.1:7444", hosts: ["127.0.0.1"] });
  const plan = await rig.call("POST", "/v1/fleet", { exposedBy: "gw", dryRun: true });
  t.same(plan, { members: [{ path: "plant/pump-0/operator", canary: true }] }, "only what the application could read");
});

t.test("an account is rotated again while the replaced gateway holds its new value too, and not for ever", async (t) => {
  for (const [exposed, rounds, state] of [
    [2, 2, "done"],
    [9, 4, "failed"],
  ] as const) {
    const { rig, edge } = await plant(t, 1);
    const path = "plant/pump-0/operator";
    const accountId = edge.accountId(path);
    const [gateway] = await rig.core.store.read((tx) =>
      tx.selectFrom("nodes").select("node_id").where("name", "=", "gw").execute(),
    );
    await rig.core.store.transaction(async (tx) => {
      for (let number = 0; number < exposed; number += 1) {
        const row = { node_id: gateway?.node_id ?? new Uint8Array(20), account_id: accountId, epoch: 1, number };
        await tx.insertInto("exposures").values(row).execute();
      }
    });
    await rig.join(t, { name: "gw", role: "gateway", zone: "dmz", address: "127.0.0.1:7444", hosts: ["127.0.0.1"] });
    await rig.call("POST", "/v1/fleet", { exposedBy: "gw" });
    await edge.exchange();
    let ordered = 0;
    for (let number = 1; (await status(rig)).state === "running"; number += 1) {
      const orderId = fromHex(orders(edge).get(path) ?? "") ?? new Uint8Array(16);
      edge.report([
        encodeFact({
          kind: "rotation",
          accountId,
          index: { epoch: 1, number },
          fingerprint: edge.version(path, number).fingerprint,
          state: "VERIFIED",
          outcome: "verified",
          at: { lo: 1, hi: 2 },
          leaf: { serial: 1, index: number },
        }),
        encodeFact({ kind: "order-outcome", orderId, outcome: "done", code: null }),
      ]);
      await edge.exchange();
      ordered += 1;
    }
    t.equal(ordered, rounds);
    const [member] = (await status(rig)).members;
    t.equal(member?.state, state);
  }
});
