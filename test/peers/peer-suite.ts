import { appendFileSync } from "node:fs";
import type { Test } from "tap";

/** A real server that tests need, and how to get it. */
export interface Peer {
  readonly name: string;
  /** Debian packages that bring it. */
  readonly packages: string;
  /** True where everything is installed. */
  readonly installed: boolean;
}

/** What a suite's tests get besides tap's own. */
export interface PeerSuite {
  /** One test against the server; counted in the table of peers. */
  test(title: string, body: (t: Test) => Promise<void>): Promise<void>;
  /** The version as the running server states it. */
  stated(version: string): void;
}

/**
 * Runs tests that need a real server. Without it the whole suite is skipped by name, or fails where REQUIRE_PEERS=1. At
 * the end one line for the table of peers goes to the file that TIDEGATE_PEERS_FILE names.
 */
export async function peerSuite(t: Test, peer: Peer, body: (suite: PeerSuite) => Promise<void>): Promise<void> {
  let version = "not stated";
  let tests = 0;
  const report = () => {
    const file = process.env["TIDEGATE_PEERS_FILE"];
    if (file) appendFileSync(file, `${JSON.stringify({ peer: peer.name, version, tests })}\n`);
    if (process.env["REQUIRE_PEERS"] === "1") t.ok(tests > 0, `${peer.name}: at least one test ran`);
  };
  if (!peer.installed) {
    const missing = `${peer.name} is not installed: apt-get install ${peer.packages}`;
    if (process.env["REQUIRE_PEERS"] !== "1") t.comment(`PEER MISSING: ${missing}`);
    await t.test(peer.name, { skip: process.env["REQUIRE_PEERS"] === "1" ? false : missing }, async (t) => {
      t.fail(missing);
    });
    return report();
  }
  await body({
    async test(title, run) {
      tests += 1;
      await t.test(title, run);
    },
    stated(text) {
      version = text;
    },
  });
  report();
}
