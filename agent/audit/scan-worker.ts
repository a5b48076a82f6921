// One thread of `audit verify`: reads entry bundles and answers with what there is to know about their entries, or null where it cannot.
import { parentPort } from "node:worker_threads";
import { scanEntries } from "../../protocol/audit/index.ts";
import { readEntries } from "./bounded-file.ts";
import type { ScanJob } from "./scan-bundles.ts";

parentPort?.on("message", ({ paths, log }: ScanJob) => {
  try {
    const parts = paths.map((path) => scanEntries(readEntries(path), log));
    const moved = parts.flatMap(({ hashes, claims }) => [hashes.buffer as ArrayBuffer, claims.buffer as ArrayBuffer]);
    parentPort?.postMessage(parts, moved);
  } catch {
    parentPort?.postMessage(null);
  }
});
