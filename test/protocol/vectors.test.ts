import { resolve } from "node:path";
import t from "tap";
import { checkAll } from "../../scripts/vectors-check/check-all.ts";
import { parseVectorFile, runCases, type VectorFile } from "../../scripts/vectors-check/vector-file.ts";

t.test("every published vector holds", async (t) => {
  const files = await checkAll(resolve(import.meta.dirname, "../../protocol/vectors"));
  t.ok(files.length >= 7, "vector files were found");
  for (const { file, results } of files) {
    const failed = results.filter((result) => !result.passed).map((result) => `${result.name}: ${result.detail}`);
    t.same(failed, [], `${file}: ${results.length} cases`);
  }
});

t.test("the check itself fails where a vector expects another outcome", async (t) => {
  const file: VectorFile = { area: "x", about: "x", cases: [{ name: "one", expect: "SOME_CODE" }] };
  t.match(
    runCases(file, () => {}),
    [{ passed: false, detail: "expected SOME_CODE, got ok" }],
  );
  t.match(
    runCases(file, () => {
      throw new Error("bug");
    }),
    [{ passed: false, detail: /error without code: bug/ }],
  );
});

t.test("a vector file without cases, or with two of one name, is refused", async (t) => {
  const file = (cases: object[]) => JSON.stringify({ area: "keys", about: "", cases });
  t.throws(() => parseVectorFile(file([])), { message: /at least one case/ });
  t.throws(() => parseVectorFile(file([{ name: "a" }, { name: "a" }])), { message: /two vectors of one name/ });
});
