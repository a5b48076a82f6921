import t from "tap";
import { AnswerCache } from "../../agent/local-api/answer-cache.ts";
import { apiLimits } from "../../agent/local-api/limits.ts";
import { utf8 } from "../../protocol/base/index.ts";
import { makeFields } from "../../protocol/content/index.ts";

t.test("so many answers are held ready and no more; what is pushed out, forgotten or left at the end is wiped", (t) => {
  const pads: Uint8Array[] = [];
  const random = (length: number) => {
    const pad = new Uint8Array(length).fill(pads.length === 0 ? 1 : 2);
    pads.push(pad);
    return pad;
  };
  const wiped = () => pads.filter((pad) => pad.every((byte) => byte === 0)).length;
  const find = (path: string) =>
    path === "none"
      ? null
      : ({
          username: "operator",
          version: "1.1",
          source: "vault",
          currentSinceMs: 0,
          rotation: "idle",
          expiresAt: null,
          openFields: () => makeFields([["password", utf8(path)]]),
          alternates: () => [],
        } as const);
  const cache = new AnswerCache({ find }, random);
  const { cachedAnswers: most } = apiLimits;
  for (let i = 0; i < most; i += 1) cache.get(`zone/meter/user-${i}`);
  t.same([pads.length, wiped()], [most, 0], "at the limit all are held");
  cache.get("zone/meter/user-0");
  t.equal(pads.length, most, "and found again");
  cache.get("zone/meter/one-more");
  t.same([pads.length, wiped()], [most + 1, 1], "one more pushes one out");
  t.ok(
    pads[0]?.some((byte) => byte !== 0),
    "not the one that was read last",
  );
  cache.forget("zone/meter/user-0");
  t.equal(wiped(), 2);
  t.ok(pads[0]?.every((byte) => byte === 0));
  t.equal(cache.get("none"), null);
  cache.close();
  t.equal(wiped(), most + 1);
  t.end();
});
