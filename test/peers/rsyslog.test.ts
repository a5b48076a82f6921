import t, { type Test } from "tap";
import { storeStorage } from "../../agent/audit/index.ts";
import { type ForwardTarget, forwardShape } from "../../agent/config/index.ts";
import { type Forwarder, nodeFeed, openForwarders } from "../../agent/forward/index.ts";
import { createLog } from "../../agent/log/index.ts";
import { machineSeams } from "../../agent/seams/index.ts";
import { decodeLeaf, hashLeaf } from "../../protocol/audit/index.ts";
import { toHex } from "../../protocol/base/index.ts";
import { fill, openRig } from "../agent/audit/rig.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { peerSuite } from "./peer-suite.ts";
import { Rsyslogd, rsyslogPeer } from "./rsyslogd.ts";

const speaker = { name: "edge-1", role: "edge", version: "0.1.0" } as const;

async function collector(t: Test, clients: "anyone" | "certified" = "anyone"): Promise<Rsyslogd> {
  const rsyslogd = new Rsyslogd(clients);
  t.teardown(() => rsyslogd.remove());
  await rsyslogd.start();
  return rsyslogd;
}

function forwarder(
  t: Test,
  rig: ReturnType<typeof logOf>,
  rsyslogd: Rsyslogd,
  changes: Partial<ForwardTarget> = {},
): Forwarder {
  const target = {
    name: "siem",
    format: "rfc5424",
    to: "tls",
    address: `127.0.0.1:${rsyslogd.port}`,
    ca: rsyslogd.authority.file,
    serverName: "localhost",
    ...changes,
  };
  const [made] = openForwarders({
    targets: forwardShape.parse([target]),
    feed: rig.feed,
    speaker,
    seams: machineSeams(),
    log: createLog({ level: "silent", node: "edge" }),
  });
  if (made === undefined) throw new Error("no forwarder");
  t.teardown(() => made.close());
  return made;
}

function logOf(leaves: number) {
  const store = new MemoryStore();
  const { log } = openRig({ store });
  fill(store, log, leaves);
  return { store, log, feed: nodeFeed(store, log) };
}

await peerSuite(t, rsyslogPeer, async ({ test, stated }) => {
  stated(Rsyslogd.version());

  await test("rsyslog takes every leaf over TLS, and takes it apart as we put it together", async (t) => {
    const rig = logOf(40);
    const rsyslogd = await collector(t);
    const sender = forwarder(t, rig, rsyslogd);
    const received = await rsyslogd.until((all) => all.length >= 41);
    console.error(received[0], sender.status());
  });
});
