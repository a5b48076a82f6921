import { spawnSync } from "node:child_process";
import type { Test } from "tap";

/** A program of somebody else's that checks our bytes. */
export interface Tool {
  /** What to say where it is missing: the apt package. */
  readonly aptPackage: string;
  readonly command: string;
  /** Arguments that print its version and exit with 0. */
  readonly probe: readonly string[];
}

/** libsodium under Python: what the second implementation of the formats stands on. */
export const pynacl: Tool = {
  aptPackage: "python3-nacl",
  command: "/usr/bin/python3",
  probe: ["-c", "import nacl, sys; print('PyNaCl', nacl.__version__, 'on Python', sys.version.split()[0])"],
};

/**
 * The tool's version as it states it, or null after the test was skipped, loudly and by name. Where REQUIRE_PEERS=1 a missing tool
 * fails the test instead.
 */
export function versionOf(t: Test, tool: Tool): string | null {
  const run = spawnSync(tool.command, tool.probe, { encoding: "utf8" });
  if (run.status === 0) return run.stdout.trim();
  const missing = `${tool.command} ${tool.probe.join(" ")} does not run: apt-get install ${tool.aptPackage}`;
  if (process.env["REQUIRE_PEERS"] === "1") t.fail(missing);
  else t.pass("NOT RUN", { skip: missing });
  return null;
}
