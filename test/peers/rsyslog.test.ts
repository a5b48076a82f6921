import t, { type Test } from "tap";
import { type ForwardTarget, forwardShape } from "../../agent/config/index.ts";
import { type Forwarder, nodeFeed, openForwarders } from "../../agent/forward/index.ts";
import { createLog } from "../../agent/log/index.ts";
import { hashLeaf } from "../../protocol/audit/index.ts";
import { toHex } from "../../protocol/base/index.ts";
import { fill, openRig } from "../agent/audit/rig.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { peerSuite } from "./peer-suite.ts";
import { type Received, Rsyslogd, rsyslogPeer } from "./rsyslogd.ts";

const speaker = { name: "edge-1", role: "edge", version: "0.1.0" } as const;
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

async function collector(t: Test, clients: "anyone" | "certified" = "anyone"): Promise<Rsyslogd> {
  const rsyslogd = new Rsyslogd(clients);
  t.teardown(() => rsyslogd.remove());
  await rsyslogd.start();
  return rsyslogd;
}

/** A log of so many leaves that is forwarded to a real collector; only time is the test's. */
function sending(t: Test, rsyslogd: Rsyslogd, leaves: number, changes: Partial<ForwardTarget> = {}) {
  const store = new MemoryStore();
  const { log } = openRig({ store });
  fill(store, log, leaves - 1);
  const clock = new ManualClock();
  const target = {
    name: "siem",
    format: "rfc5424",
    to: "tls",
    address: `127.0.0.1:${rsyslogd.port}`,
    ca: rsyslogd.authority.file,
    serverName: "localhost",
    ...changes,
  };
  const [sender] = openForwarders({
    targets: forwardShape.parse([target]),
    feed: nodeFeed(store, log),
    speaker,
    seams: { clock, timers: clock, random: (length) => new Uint8Array(length) },
    log: createLog({ level: "silent", node: "edge" }),
  });
  if (sender === undefined) throw new Error("no forwarder");
  t.teardown(() => sender.close());
  return { store, log, clock, sender };
}

/** Lets time pass, slowly enough for the real collector, until `done` holds. */
async function until(clock: ManualClock, done: () => boolean): Promise<void> {
  while (!done()) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (!done() && (clock.nextInMs ?? 0) <= 1_000) await clock.advance(1_000);
  }
}

const proven = (sender: Forwarder, clock: ManualClock, sent: number) => until(clock, () => sender.status().sent >= sent);
const dataOf = ({ data }: Received, name: string) => new RegExp(` ${name}="((?:[^"\\\\\\]]|\\\\.)*)"`).exec(data)?.[1] ?? "";
const indexesOf = (received: readonly Received[]) =>
  [...new Set(received.map((each) => Number(dataOf(each, "index"))))].sort((a, b) => a - b);

await peerSuite(t, rsyslogPeer, async ({ test, stated }) => {
  stated(Rsyslogd.version());

  await test("rsyslog takes every leaf over TLS, and takes it apart as we put it together", async (t) => {
    const rsyslogd = await collector(t);
    const { log, clock, sender } = sending(t, rsyslogd, 300);
    await proven(sender, clock, 300);
    const received = await rsyslogd.until((all) => all.length >= 300);
    t.same(
      received.map((each) => Number(dataOf(each, "index"))),
      upTo(300),
      "in order, and none twice",
    );
    const leaves = log.leaves(0, 300);
    t.same(
      received.map((each) => [each.msg, dataOf(each, "hash")]),
      leaves.map((leaf) => [Buffer.from(leaf).toString(), toHex(hashLeaf(leaf))]),
      "each text is the exact leaf, and has its hash",
    );
    const last = received.at(-1);
    t.match(last, { pri: String(13 * 8 + 5), host: "edge-1", app: "tidegate-edge", procid: "-", msgid: "rotation.verified" });
    t.match(JSON.parse(String(last?.parsed)), {
      "tidegate@32473": { origin: /^plant\.example\/tidegate\/1\/log\//, outcome: "ok", subject: "line-4/plc-1/admin" },
    });
  });

  await test("names that others chose arrive as they are meant", async (t) => {
    const rsyslogd = await collector(t);
    const { store, log, clock, sender } = sending(t, rsyslogd, 1);
    const id = 'h"m]i é漢 =|';
    const actor = { kind: "application", id } as const;
    store.transaction((tx) =>
      log.append(tx, { action: "application.add", actor, subject: actor, outcome: "ok", details: { name: id } }),
    );
    await proven(sender, clock, 2);
    const received = await rsyslogd.until((all) => all.length >= 2);
    t.equal(JSON.parse(String(received[1]?.parsed))["tidegate@32473"].actor, id);
    t.equal(JSON.parse(received[1]?.msg ?? "").actor.id, id);
  });

  await test("the longest message is neither cut nor split by its reader", async (t) => {
    const rsyslogd = await collector(t);
    const { store, log, clock, sender } = sending(t, rsyslogd, 1);
    const actor = { kind: "application", id: "\u0001".repeat(400) } as const;
    store.transaction((tx) => log.append(tx, { action: "application.add", actor, subject: actor, outcome: "ok" }));
    fill(store, log, 1);
    await proven(sender, clock, 3);
    const received = await rsyslogd.until((all) => all.length >= 3);
    t.same(indexesOf(received), upTo(3));
    t.match(received[1]?.data, / truncated="true"\]$/);
  });

  await test("CEF arrives as the text of a message", async (t) => {
    const rsyslogd = await collector(t);
    const { clock, sender } = sending(t, rsyslogd, 20, { format: "cef" });
    await proven(sender, clock, 20);
    const received = await rsyslogd.until((all) => all.length >= 20);
    t.ok(received.every(({ msg }) => msg.startsWith("CEF:0|Tidegate|Tidegate edge|0.1.0|")));
    t.same(
      received.map(({ msg }) => Number(/ cn1=(\d+) /.exec(msg)?.[1])),
      upTo(20),
    );
  });

  await test("a collector that wants to know us takes our certificate, and nobody without one", async (t) => {
    const rsyslogd = await collector(t, "certified");
    const without = sending(t, rsyslogd, 10);
    await until(without.clock, () => without.sender.status().lastCode !== null);
    t.match(without.sender.status().lastCode, /^FORWARD_(TLS|CUT)$/);
    t.same([rsyslogd.received().length, without.sender.status().sent], [0, 0]);
    await without.sender.close();
    const { certificate, key } = rsyslogd.authority.issue("edge-1");
    const { clock, sender } = sending(t, rsyslogd, 10, { certificate, key });
    await proven(sender, clock, 10);
    t.same(indexesOf(await rsyslogd.until((all) => all.length >= 10)), upTo(10));
  });

  await test("a collector of another authority, or under another name, is told nothing", async (t) => {
    const [rsyslogd, other] = [await collector(t), new Rsyslogd()];
    t.teardown(() => other.remove());
    for (const changes of [{ ca: other.authority.file }, { serverName: "another.test" }]) {
      const { clock, sender } = sending(t, rsyslogd, 10, changes);
      await until(clock, () => sender.status().lastCode !== null);
      t.equal(sender.status().lastCode, "FORWARD_UNTRUSTED");
      await sender.close();
    }
    t.equal(rsyslogd.received().length, 0);
  });

  await test("a collector that is stopped in the middle gets the rest when it is back, and loses nothing", async (t) => {
    const rsyslogd = await collector(t);
    const { store, log, clock, sender } = sending(t, rsyslogd, 5_000);
    await until(clock, () => sender.status().sent > 200);
    await rsyslogd.stop("SIGTERM");
    await until(clock, () => sender.status().lastCode !== null);
    fill(store, log, 100);
    await rsyslogd.start();
    await proven(sender, clock, 5_100);
    t.same(indexesOf(await rsyslogd.until((all) => indexesOf(all).length >= 5_100)), upTo(5_100));
  });

  await test("a collector that hangs is a black hole: nothing is counted as sent, and all of it comes when it wakes", async (t) => {
    const rsyslogd = await collector(t);
    const { store, log, clock, sender } = sending(t, rsyslogd, 100);
    await proven(sender, clock, 100);
    rsyslogd.signal("SIGSTOP");
    fill(store, log, 400);
    while (sender.status().lastCode === null) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      await clock.advance(1_000);
    }
    t.match(sender.status(), { state: "waiting", lastCode: "FORWARD_STALLED", sent: 100, next: 100 });
    rsyslogd.signal("SIGCONT");
    await proven(sender, clock, 500);
    t.same(indexesOf(await rsyslogd.until((all) => indexesOf(all).length >= 500)), upTo(500));
  });
});
