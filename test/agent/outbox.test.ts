import t from "tap";
import { addFacts, hasUnsentFacts, markAllUnsent, markSent, settleFacts, unsentFacts } from "../../agent/node/outbox.ts";
import type { View } from "../../agent/store/index.ts";
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

t.test("what is sent and not yet acknowledged is not read to find what waits", async (t) => {
  const store = new MemoryStore();
  store.transaction((tx) => {
    addFacts(tx, facts(0, 1000));
    markSent(tx, unsentFacts(tx, 1000), place(1));
    addFacts(tx, facts(1000, 3));
    let read = 0;
    const counting: View = {
      get: (...what) => tx.get(...what),
      count: (table) => tx.count(table),
      scan(table, options) {
        const rows = tx.scan(table, options);
        read += rows.length;
        return rows;
      },
    };
    t.same(numbers(unsentFacts(counting, 10)), [1000, 1001, 1002]);
    t.ok(hasUnsentFacts(counting));
    t.ok(read < 20, `${read} rows`);
  });
});
