import t from "tap";
import { decodeLeaf } from "../../protocol/audit/index.ts";
import { ConsumerWorld } from "./consumer-world.ts";

const rotate = { kind: "rotate", by: "order" } as const;

t.test(
  "an application in the DMZ has a value that logs in all through a rotation, with the vault there and away",
  async (t) => {
    const world = new ConsumerWorld(t);
    await world.start();
    t.same((await world.read()).values.slice(0, 1), ["value-0"]);
    t.equal(world.exported, 2, "the edge got its pool after the gateway had it");
    const leaves = world.gateway?.parts.audit.leaves(0, 1000).map((leaf) => decodeLeaf(leaf)) ?? [];
    const acknowledged = leaves.filter(({ action }) => action === "credential.acknowledge");
    t.same(
      acknowledged.map(({ details }) => details["number"]),
      [1, 2],
    );

    await world.order({ kind: "verify" });
    await world.order(rotate);
    await world.follow(() => world.current === 1);
    await world.follow(() => world.pool() === 2);
    let answer = await world.read();
    t.match(answer, { version: "1.1", rotation: "idle" });
    t.notOk(answer.values.includes("value-0"), "once the vault has acknowledged, the old one is no candidate any more");

    // The vault goes away; the gateway's word comes from the edge alone.
    await world.world.closeVault();
    let seen = new Set<string>();
    await world.order(rotate);
    do {
      answer = await world.read();
      seen.add(answer.rotation);
    } while (answer.version !== "1.2" || answer.rotation !== "idle");
    t.equal(world.device.live, "value-2");
    t.same(answer.values, ["value-2", "value-1", "value-3"], "the old one stays an alternate until the vault has acknowledged");

    // The edge's word is lost: the cable is out all through the next rotation, and comes back.
    world.unplug();
    await world.order(rotate);
    while (world.phase() !== "VERIFIED" || world.device.live !== "value-3") await world.read();
    answer = await world.read();
    t.equal(answer.version, "1.2", "nobody has told the gateway");
    t.ok(answer.values.includes("value-3"), "and the application has it all the same");
    t.ok(world.rescued > 0, "without alternates it would have been left alone");
    world.cut = false;
    seen = new Set();
    while ((await world.read()).version !== "1.3") seen.add("waiting");
    t.equal(world.gateway?.parts.node.status().lastRefusal, null);

    await world.world.openVault();
    await world.follow(() => world.current === 3);
    await world.follow(() => world.pool() === 2);
    t.match(await world.read(), { version: "1.3", rotation: "idle" });
  },
);
