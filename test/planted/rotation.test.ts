import t from "tap";
import { explore } from "../model/explorer.ts";
import { planted } from "../model/planted-bugs.ts";

for (const { bug, step: broken, world, problem } of planted) {
  t.test(`the exploration catches: ${bug}`, async (t) => {
    const { finding } = explore({ ...world, step: broken });
    t.match(finding?.problem, problem, finding?.trace.join(" · ") ?? "found nothing");
  });
}
