import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";

/** A folder of this test alone whose path is short enough for Unix sockets; removed at the test's end. */
export function shortFolder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), "tg-"));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
