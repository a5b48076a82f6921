import t from "tap";
import { liveValue } from "../../gateway/notices/index.ts";

const at = (number: number) => ({ epoch: 1, number });
const value = (number: number) => ({ index: at(number) });

t.test("a value that may be live is never left out, and no more are named than may be", async (t) => {
  type Case = [title: string, current: number, pending: number[], live: number | null, sent: number | null, told: string];
  // Served, * where unsettled, alternates; then the same with the edge away.
  const cases: Case[] = [
    ["nothing said", 0, [1, 2], null, null, "0 1 | 0 1 2"],
    ["nothing pending", 0, [], null, null, "0 | 0"],
    ["sent", 0, [1, 2], null, 1, "0* 1 | 0* 1 2"],
    ["verified, and the vault does not know yet", 0, [1, 2], 1, null, "1 0 2 | 1 0 2"],
    ["verified, and the vault knows", 1, [2, 3], 1, null, "1 2 | 1 2 3"],
    ["verified, then the next sent", 0, [1, 2], 1, 2, "1* 2 0 | 1* 2 0"],
    ["refused by policy, then the next sent", 0, [1, 2], null, 2, "0* 2 1 | 0* 2 1"],
    ["the vault's word is the newer one", 5, [6, 7], 4, 4, "5 6 | 5 6 7"],
    ["reverted to what the vault still calls current", 0, [1, 2], 0, null, "0 1 | 0 1 2"],
    ["a value that is not held", 0, [1], 3, null, "0 1 | 0 1"],
    ["sent, a value that is not held", 0, [1], null, 3, "0 1 | 0 1"],
  ];
  for (const [title, current, pending, live, sent, told] of cases) {
    const held = { current: value(current), pending: pending.map(value) };
    const word = { live: live === null ? null : at(live), sent: sent === null ? null : at(sent) };
    const shown = [false, true].map((edgeAway) => {
      const { served, unsettled, alternates } = liveValue(held, word, edgeAway);
      const names = [served, ...alternates].map(({ index }) => index.number);
      return names.map((name, place) => (place === 0 && unsettled ? `${name}*` : name)).join(" ");
    });
    t.equal(shown.join(" | "), told, title);
  }
});
