// Runs every published vector against the code: a table, then the sum. Exit code 1 where any fails.
import { fileURLToPath } from "node:url";
import { checkAll } from "./vectors-check/check-all.ts";

const files = await checkAll(fileURLToPath(new URL("../protocol/vectors", import.meta.url)));
let passed = 0;
let failed = 0;
for (const { file, results } of files) {
  const failures = results.filter((result) => !result.passed);
  console.log(
    `${file.padEnd(28)} ${String(results.length).padStart(4)} cases  ${failures.length === 0 ? "ok" : `${failures.length} FAILED`}`,
  );
  for (const failure of failures) console.log(`  ${failure.name}: ${failure.detail}`);
  passed += results.length - failures.length;
  failed += failures.length;
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
