import t from "tap";
import { defaultFullPolicy, type FullPolicy, WhenFull } from "../../../agent/audit/index.ts";
import { type AuditEvent, decodeLeaf } from "../../../protocol/audit/index.ts";
import { MemoryStore } from "../../support/memory-store.ts";
import { ManualTime, node, openRig, read, rotated } from "./rig.ts";

const self = { kind: "node", id: node } as const;
const operator = { kind: "operator", id: "kim" } as const;
const account = { kind: "account", id: "line-4/plc-1/admin" } as const;
const shown: AuditEvent = { action: "credential.show", actor: operator, subject: account, outcome: "ok" };
const held: AuditEvent = { action: "device.hold", actor: operator, subject: { kind: "device", id: "d" }, outcome: "ok" };
const denied: AuditEvent = { ...read("line-4/plc-1/admin"), outcome: "denied", code: "API_REFUSED" };
const tunnel: AuditEvent = { action: "tunnel.close", actor: self, subject: self, outcome: "ok" };

function leavesOf(log: { leaves(from: number, limit: number): Uint8Array[] }, from = 0) {
  return log.leaves(from, 1000).map((bytes) => decodeLeaf(bytes));
}

t.test("what must be written is written on a short disk, the rest by the policy of its class", (t) => {
  const store = new MemoryStore();
  const { log } = openRig({ store });
  const append = (event: AuditEvent) => store.transaction((tx) => log.append(tx, event));
  log.space.begin(() => {});
  const before = log.head().size;
  append(rotated(1));
  append(held);
  append({ action: "bundle.apply", actor: self, subject: self, outcome: "ok" });
  append({ action: "alarm.raise", actor: self, subject: self, outcome: "failed", code: "X" });
  t.equal(log.head().size, before + 4, "rotations, holds, bundles, alarms");
  t.throws(() => append(shown), { code: "AUDIT_FULL" }, "a person's doing is refused");
  append(tunnel);
  log.noteRead(read("a/b/c"));
  log.noteRead(read("a/b/c"));
  t.equal(log.head().size, before + 4);
  t.equal(log.space.dropped, 3);
  log.space.admitRead();
  log.space.end(() => {});
  const gaps = leavesOf(log, before + 4);
  t.match(gaps, [
    { action: "audit.gap", code: "AUDIT_FULL", details: { class: "noise", count: 1 } },
    { action: "audit.gap", code: "AUDIT_FULL", details: { class: "reads", count: 2 } },
  ]);
  append(shown);
  t.equal(log.head().size, before + 7, "and everything is as before");
  t.equal(log.space.dropped, 0);
  t.end();
});

t.test("each class fails open or closed as it is set", (t) => {
  const events: [keyof FullPolicy, AuditEvent][] = [
    ["reads", read("a/b/c")],
    ["administration", shown],
  ];
  for (const [name, event] of events) {
    for (const choice of ["open", "closed"] as const) {
      const full = new WhenFull({ ...defaultFullPolicy, [name]: choice });
      t.same(
        full.admit([event], () => 1),
        [event],
        "with room",
      );
      full.begin(1);
      if (choice === "closed") t.throws(() => full.admit([event], () => 1), { code: "AUDIT_FULL" });
      else
        t.same(
          full.admit([event], () => 1),
          [],
        );
    }
  }
  const noisy = new WhenFull({ reads: "closed", administration: "closed" });
  noisy.begin(1);
  t.same(
    noisy.admit([denied, tunnel], () => 1),
    [],
    "what others bring about is left out, and never refused",
  );
  t.equal(noisy.dropped, 2);
  t.end();
});

t.test("a transaction that is refused leaves nothing behind, in it or out of it", (t) => {
  const store = new MemoryStore();
  const { log } = openRig({ store });
  log.space.begin(() => {});
  const size = log.head().size;
  t.throws(
    () =>
      store.transaction((tx) => {
        tx.put("settings", Uint8Array.of(1), Uint8Array.of(1));
        log.appendAll(tx, [rotated(1), shown]);
      }),
    { code: "AUDIT_FULL" },
  );
  t.equal(log.head().size, size);
  t.equal(
    store.read((view) => view.get("settings", Uint8Array.of(1))),
    null,
    "no state change without its leaf",
  );
  t.end();
});

t.test("a read that is refused because it cannot be logged is refused before it is answered", (t) => {
  const { log } = openRig({ store: new MemoryStore(), whenFull: { ...defaultFullPolicy, reads: "closed" } });
  log.space.admitRead();
  log.space.begin(() => {});
  t.throws(() => log.space.admitRead(), { code: "AUDIT_FULL" });
  t.end();
});

t.test("the counts outlive a restart; a crash may lose some, and the gap says that there is one", async (t) => {
  for (const how of ["stop", "crash"] as const) {
    const store = new MemoryStore();
    const time = new ManualTime();
    const { log } = openRig({ store, time });
    log.space.begin(() => {});
    time.pass(1000);
    store.transaction((tx) => void log.append(tx, tunnel));
    log.noteRead(read("a/b/c"));
    if (how === "stop") await log.close();
    time.pass(1000);
    const again = openRig({ store: store.reopen(), time });
    t.equal(again.log.space.short, true, "until somebody has looked at the disk");
    again.log.space.end(() => {});
    const gaps = leavesOf(again.log).filter(({ action }) => action === "audit.gap");
    t.match(gaps, [{ details: { class: "noise", count: 1 } }, { details: { class: "reads", count: how === "stop" ? 1 : 0 } }]);
    const [, reads] = gaps;
    if (how === "crash") t.ok(Number(reads?.details["toMs"]) > Number(reads?.details["fromMs"]), "from then to the restart");
    await again.log.close();
    const third = openRig({ store: store.reopen(), time });
    t.ok(third.log);
  }
});

t.test("planted: a log that forgets its gaps, or refuses a rotation, is caught", (t) => {
  const trial = (full: WhenFull): string[] => {
    full.begin(5);
    const caught: string[] = [];
    const rotation = (() => {
      try {
        return full.admit([rotated(1)], () => 6).length;
      } catch {
        return 0;
      }
    })();
    if (rotation !== 1) caught.push("rotation");
    full.admit([tunnel, tunnel], () => 7);
    if (full.gaps(self).reduce((sum, { details }) => sum + Number((details as { count: number }).count), 0) !== 2)
      caught.push("gap");
    return caught;
  };
  t.same(trial(new WhenFull(defaultFullPolicy)), []);
  class Forgets extends WhenFull {
    override gaps(): AuditEvent[] {
      return [];
    }
  }
  class Refuses extends WhenFull {
    override admit(events: readonly AuditEvent[], nowMs: () => number): readonly AuditEvent[] {
      return events[0]?.action === "rotation.verified" ? [] : super.admit(events, nowMs);
    }
  }
  t.same(trial(new Forgets(defaultFullPolicy)), ["gap"]);
  t.same(trial(new Refuses(defaultFullPolicy)), ["rotation"]);
  t.end();
});
