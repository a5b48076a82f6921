import t from "tap";
import { grantHint } from "../../cli/commands/grant-hint.ts";
import { parsePattern, patternMatches } from "../../protocol/content/index.ts";

t.test("a grant is warned about exactly where no path of three segments can match it", async (t) => {
  const cases: [string, RegExp | null][] = [
    ["line-4", /below: line-4\/\*\*$/],
    ["line-4/*", /below: line-4\/\*\*$/],
    ["line-4/meter", /below: line-4\/meter\/\*\*$/],
    ["*", /below: \*\*$/],
    ["**", null],
    ["line-4/**", null],
    ["line-4/meter/**", null],
    ["line-4/*/setup", null],
    ["*/*/*", null],
    ["line-4/meter/setup", null],
    ["line-4/meter/setup/**", /account$/],
    ["line-4/meter/setup/x", /account$/],
  ];
  for (const [pattern, expected] of cases) {
    const hint = grantHint(pattern);
    if (expected === null) t.equal(hint, null, pattern);
    else t.match(hint, expected, pattern);
    t.equal(hint === null, patternMatches(parsePattern(pattern), ["line-4", "meter", "setup"]), pattern);
  }
});
