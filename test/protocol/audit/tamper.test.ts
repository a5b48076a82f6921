import t from "tap";
import { tamperEverywhere } from "./tamper-every-place.ts";

t.test("every class of tampering with a log of 1,000 entries is named, at places all over it", async (t) => {
  const counts = tamperEverywhere(97);
  for (const [name, { tried, wrong }] of counts) t.same(wrong, [], `${name}: ${tried} times`);
  t.equal(counts.size, 11);
});
