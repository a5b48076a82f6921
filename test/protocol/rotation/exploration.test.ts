import t from "tap";
import type { Options } from "./device-world.ts";
import { explore } from "./explorer.ts";

const worlds: readonly [title: string, options: Options][] = [
  ["a device that locks out at three", {}],
  ["a device whose change depends on the old value", { delta: true }],
  ["a device that refuses the first value", { refuses: [1] }],
  ["a device that refuses both values", { refuses: [1, 2] }],
  ["a device that denies what it carried out", { lies: true, values: 1 }],
  ["a device that comes back with its first configuration", { resets: true, values: 1 }],
  ["an edge whose store comes back from a backup", { restores: true, values: 1 }],
  ["an account that was only adopted", { policy: "never" }],
];

for (const [title, options] of worlds) {
  t.test(`nothing is lost, locked out or stuck on ${title}`, async (t) => {
    const { complete, finding, states } = explore(options);
    t.equal(finding, null, `no broken invariant in ${states} states`);
    t.ok(complete, "every reachable state was visited");
  });
}

t.test("a device that locks out at two is never touched", async (t) => {
  const { finding, phases } = explore({ threshold: 2 });
  t.equal(finding, null);
  t.same([...phases], ["IDLE"]);
});
