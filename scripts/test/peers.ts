import { existsSync, readFileSync } from "node:fs";

interface PeerRecord {
  readonly peer: string;
  readonly version: string;
  readonly tests: number;
}

/** The servers that a run with REQUIRE_PEERS=1 must have met. */
const requiredPeers = ["snmpd", "libmodbus", "sshd", "rsyslogd", "network namespaces"] as const;

/** Prints the table of the peers that tests recorded in a file; returns how many required servers were not met. */
export function tellPeers(file: string, require: boolean): number {
  const byPeer = new Map<string, { version: string; tests: number }>();
  for (const { peer, version, tests } of peerRecords(file)) {
    byPeer.set(peer, { version, tests: tests + (byPeer.get(peer)?.tests ?? 0) });
  }
  if (byPeer.size > 0) {
    console.log("\nreal servers met        version                           tests");
    for (const [peer, { version, tests }] of [...byPeer].sort()) {
      console.log(`${peer.padEnd(23)} ${version.padEnd(33)} ${String(tests).padStart(5)}`);
    }
    console.log();
  }
  if (!require) return 0;
  const missing = requiredPeers.filter((peer) => (byPeer.get(peer)?.tests ?? 0) === 0);
  for (const peer of missing) console.log(`FAIL no test met a real ${peer}, and REQUIRE_PEERS=1 asks for it`);
  return missing.length;
}

function peerRecords(file: string): readonly PeerRecord[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as PeerRecord);
}
