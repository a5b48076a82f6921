import t from "tap";
import { explore, exploreModel } from "../../model/explorer.ts";
import { SystemModel } from "../../model/vault-world.ts";
import { smallSystems, smallWorlds } from "../../model/worlds.ts";

for (const { title, options } of smallWorlds) {
  t.test(`nothing is lost, locked out or stuck on ${title}`, async (t) => {
    const { complete, finding, states } = explore(options);
    t.equal(finding, null, `no broken invariant in ${states} states`);
    t.ok(complete, "every reachable state was visited");
  });
}

for (const { title, options } of smallSystems) {
  t.test(`vault, medium and edge together lose nothing: ${title}`, async (t) => {
    const { complete, finding, states } = exploreModel(new SystemModel(options));
    t.equal(finding, null, finding?.trace.join(" · ") ?? `no broken invariant in ${states} states`);
    t.ok(complete, "every reachable state was visited");
  });
}

t.test("a device that locks out at two is never touched", async (t) => {
  const { finding, phases } = explore({ threshold: 2 });
  t.equal(finding, null);
  t.same([...phases], ["IDLE"]);
});
