import t from "tap";
import { callAdmin } from "../../agent/admin/index.ts";
import { run } from "../cli/run.ts";
import { EdgeWorld } from "./edge-world.ts";

const path = "plant-1/meter/operator";

t.test("people on the segment hold devices, give permits and ask what a rotation would meet", async (t) => {
  const world = new EdgeWorld(t);
  await world.listen();
  await world.join();
  world.values.push([1, "new-1", "pool"]);
  const edge = await world.start({ requirePermit: true });
  t.teardown(() => edge.close());
  await world.order("verify").until(() => world.facts.some((fact) => fact.kind === "order-outcome"));
  const data = ["--data", world.folder.path];
  const json = async (...words: string[]) => JSON.parse((await run(["edge", ...words, "--json", ...data])).stdout);

  const dry = await run(["edge", "rotate", path, "--dry-run", ...data]);
  t.match(dry, { exit: 1, stdout: /would not begin now: ROTATION_PERMIT_NEEDED; nothing was ordered or sent/ });
  t.match(dry.stdout, /pool-empty +ok +1 values/);
  t.notMatch(dry.stdout, /\bold\b|new-1/);
  t.match(await json("permit", "--for", "2h"), { requirePermit: true, permitLeftS: 7200, held: [] });
  const free = await json("rotate", path, "--dry-run");
  t.match(free, { ready: true, requests: [/connect to 127\.0\.0\.1:502/] });
  t.same(world.device.seen, ["verify old"], "nothing was sent");

  t.match(await json("hold", "plant-1/meter", "--reason", "line is up"), {
    held: [{ device: "plant-1/meter", reason: "line is up" }],
  });
  await t.rejects(run(["edge", "rotate", path, ...data]), { code: "ROTATION_ON_HOLD" });
  t.match(await json("rotate", path, "--dry-run"), {
    checks: [{}, {}, {}, { check: "on-hold", code: "ROTATION_ON_HOLD", detail: "here: line is up" }],
  });
  t.match(await callAdmin(world.folder.path, { method: "GET", path: "/v1/status" }), {
    site: { held: [{ device: "plant-1/meter" }] },
  });
  t.match((await run(["edge", "release", "plant-1/meter", ...data])).stdout, /held here: nothing/);
  await t.rejects(run(["edge", "release", "plant-1/meter", ...data]), { code: "EDGE_NOT_HELD_HERE" });
  await t.rejects(run(["edge", "hold", "plant-1/none", ...data]), { code: "EDGE_UNKNOWN_DEVICE" });
  await t.rejects(
    run(["edge", "release", path, ...data]),
    { code: "ROTATION_NOT_NOW" },
    "an account's release is of its quarantine",
  );
  t.match(await json("permit", "--end"), { permitLeftS: 0 });
  await t.rejects(run(["edge", "permit", ...data]), { code: "CLI_USAGE" });
  await t.rejects(run(["edge", "rotate", path, ...data]), { code: "ROTATION_PERMIT_NEEDED" });
  await json("permit", "--for", "30m");
  t.match((await run(["edge", "rotate", path, ...data])).stdout, /rotate is under way/);
  await world.until(() => world.reports.includes("verified 1"));
  t.equal(world.device.live, "new-1");
});
