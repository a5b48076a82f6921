import t from "tap";
import { nodeLimits } from "../../agent/node/limits.ts";
import {
  addFacts,
  countFacts,
  hasUnsentFacts,
  markAllUnsent,
  markSent,
  settleFacts,
  unsentFacts,
} from "../../agent/node/outbox.ts";
import type { Transaction, View } from "../../agent/store/index.ts";
import { MemoryStore } from "../support/memory-store.ts";

const place = (seq: number) => ({ epoch: 1, seq });
const facts = (first: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({ type: 1, payload: new Uint8Array(Uint32Array.of(first + i).buffer) }));
const numbers = (rows: readonly { payload: Uint8Array }[]) => rows.map(({ payload }) => Buffer.from(payload).readUInt32LE());

t.test("facts that wait are given oldest first, whatever was sent or settled before them", async (t) => {
  const store = new MemoryStore();
  store.transaction((tx) => {
    t.same([unsentFacts(tx, 5), hasUnsentFacts(tx)], [[], false], "of none");
    addFacts(tx, facts(0, 700));
    t.same(numbers(unsentFacts(tx, 3)), [0, 1, 2]);
    markSent(tx, unsentFacts(tx, 100), place(1));
    t.same(numbers(unsentFacts(tx, 2)), [100, 101]);
    t.equal(unsentFacts(tx, 1000).length, 600, "more than a step");
    markSent(tx, unsentFacts(tx, 1000), place(2));
    t.same([unsentFacts(tx, 5), hasUnsentFacts(tx)], [[], false], "all are sent");
    addFacts(tx, facts(700, 2));
    settleFacts(tx, place(1));
    t.same(numbers(unsentFacts(tx, 5)), [700, 701]);
    markAllUnsent(tx);
    t.same(numbers(unsentFacts(tx, 2)), [100, 101], "sent ones go again");
    t.ok(hasUnsentFacts(tx));
  });
});

t.test("the place from which facts wait is found wherever it is", async (t) => {
  const wrong: string[] = [];
  for (let total = 1; total <= 12; total += 1) {
    for (let sent = 0; sent <= total; sent += 1) {
      for (let settled = 0; settled <= sent; settled += 1) {
        const store = new MemoryStore();
        store.transaction((tx) => {
          addFacts(tx, facts(0, total));
          markSent(tx, unsentFacts(tx, settled), place(1));
          markSent(tx, unsentFacts(tx, sent - settled), place(2));
          settleFacts(tx, place(1));
          const waits = Array.from({ length: total - sent }, (_, i) => sent + i);
          if (numbers(unsentFacts(tx, total)).join() !== waits.join()) wrong.push(`${settled} of ${sent} of ${total}`);
        });
      }
    }
  }
  t.same(wrong, []);
});

/** A view that counts the rows which are read through it. */
function counted(tx: Transaction): { view: Transaction; read: () => number } {
  let read = 0;
  const scan: View["scan"] = (table, options) => {
    const rows = tx.scan(table, options);
    read += rows.length;
    return rows;
  };
  return { view: { ...tx, scan }, read: () => read };
}

t.test("however many facts wait, a report reads what it carries, and an acknowledgement what it settles", async (t) => {
  const [total, each] = [4_000, 200];
  const store = new MemoryStore();
  store.transaction((tx) => {
    addFacts(tx, facts(0, total));
    for (let seq = 1; seq <= total / each; seq += 1) {
      const { view, read } = counted(tx);
      const due = unsentFacts(view, each);
      if (due.length !== each || numbers(due)[0] !== (seq - 1) * each) t.fail(`report ${seq} carries others`);
      if (read() > each + 40) t.fail(`report ${seq} reads ${read()} rows`);
      markSent(tx, due, place(seq));
    }
    t.notOk(hasUnsentFacts(tx));
    addFacts(tx, facts(total, 1));
    for (let seq = 1; seq <= total / each; seq += 1) {
      const { view, read } = counted(tx);
      settleFacts(view, place(seq));
      if (read() > each + nodeLimits.scanRows + 10) t.fail(`acknowledgement ${seq} reads ${read()} rows`);
    }
    t.equal(countFacts(tx), 1, "all were settled but for the one that waits");
    settleFacts(tx, { epoch: 2, seq: 1_000 });
    t.same(numbers(unsentFacts(tx, 5)), [total]);
  });
});

t.test("what is sent and not yet acknowledged is not read to find what waits", async (t) => {
  const store = new MemoryStore();
  store.transaction((tx) => {
    addFacts(tx, facts(0, 1000));
    markSent(tx, unsentFacts(tx, 1000), place(1));
    addFacts(tx, facts(1000, 3));
    const { view, read } = counted(tx);
    t.same(numbers(unsentFacts(view, 10)), [1000, 1001, 1002]);
    t.ok(hasUnsentFacts(view));
    t.ok(read() < 20, `${read()} rows`);
  });
});
