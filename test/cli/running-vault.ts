import { join } from "node:path";
import type { Test } from "tap";
import { createKeyFile } from "../../agent/seal-key/index.ts";
import { shortFolder } from "../support/short-folder.ts";
import { random } from "../vault/rig.ts";
import { run } from "./run.ts";

/** Makes a vault by its commands and runs it until the test ends; the words that name its data folder. */
export async function runningVault(t: Test): Promise<readonly string[]> {
  const parent = shortFolder(t);
  const key = join(parent, "key");
  createKeyFile(key, random);
  const data = ["--data", join(parent, "v")];
  await run(["vault", "init", ...data, "--key-file", key, "--listen", "127.0.0.1:0"]);
  const stop = Promise.withResolvers<string>();
  const running = run(["vault", "run", ...data, "--key-file", key], { stop: stop.promise });
  t.teardown(async () => {
    stop.resolve("test");
    await running;
  });
  for (let tries = 0; tries < 500; tries += 1) {
    if ((await run(["status", ...data])).exit === 0) return data;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error("the vault does not come up");
}
