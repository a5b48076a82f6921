import t from "tap";
import { exploreModel } from "../model/explorer.ts";
import { plantedInVault } from "../model/planted-in-vault.ts";
import { SystemModel } from "../model/vault-world.ts";

for (const { bug, world, problem } of plantedInVault) {
  t.test(`the exploration of vault and edge together catches: ${bug}`, async (t) => {
    const { finding } = exploreModel(new SystemModel(world));
    t.match(finding?.problem, problem, finding?.trace.join(" · ") ?? "found nothing");
  });
}
