import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import t from "tap";
import { machineSeams } from "../../agent/seams/index.ts";
import { openStore, type Store, type Transaction, type View } from "../../agent/store/index.ts";
import { Secret, utf8 } from "../../protocol/base/index.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { shortFolder } from "../support/short-folder.ts";

const { random } = machineSeams();

function sqliteStore(t: Parameters<typeof shortFolder>[0]): { store: Store; reopen(): Store; commits(): number } {
  const folder = shortFolder(t);
  let commits = 0;
  const open = () =>
    openStore({
      path: join(folder, "node.db"),
      markPath: join(folder, "mark"),
      key: new Secret(new Uint8Array(32).fill(3)),
      random,
      failpoint: (name) => {
        if (name === "store.before-commit") commits += 1;
      },
    });
  const rig = {
    store: open(),
    commits: () => commits,
    reopen() {
      rig.store.close();
      rig.store = open();
      return rig.store;
    },
  };
  t.teardown(() => rig.store.close());
  return rig;
}

/** Numbers from 0 to below `most`, the same in each run. */
function dice(seed: number): (most: number) => number {
  let state = seed;
  return (most) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * most);
  };
}

/** One random change or look; what it saw. */
function act(tx: Transaction, roll: (most: number) => number): unknown {
  const table = roll(2) === 0 ? "left" : "right";
  const id = Uint8Array.from({ length: 1 + roll(2) }, () => [0, 1, 0x7f, 0x80, 0xff][roll(5)] as number);
  const action = roll(6);
  if (action < 2) {
    const value = Buffer.from(`value ${roll(1000)}`);
    tx.put(table, id, value);
    return value.fill(0).length;
  }
  if (action === 2) return tx.delete(table, id);
  if (action === 3) return tx.get(table, id);
  if (action === 4) return tx.count(table);
  const from = roll(2) === 0 ? {} : { from: id };
  return tx.scan(table, {
    limit: 1 + roll(5),
    reverse: roll(2) === 0,
    ...from,
    ...(roll(3) === 0 ? { prefix: id.subarray(0, 1) } : {}),
  });
}

const everything = (view: View) => ["left", "right"].map((table) => view.scan(table, { limit: 1000 }));

t.test("a commit that several transactions share shows what they wrote as if each had been stored at once", async (t) => {
  const rig = sqliteStore(t);
  const memory = new MemoryStore();
  for (let round = 0; round < 60; round += 1) {
    const seen = [rig.store, memory].map((store) => {
      const roll = dice(round);
      const told: unknown[] = [];
      store.together(() => {
        for (let part = 0; part < 5; part += 1) {
          try {
            store.transaction((tx) => {
              for (let step = 0; step < 12; step += 1) told.push(act(tx, roll));
              if (roll(3) === 0) throw new Error("changed its mind");
            });
          } catch {
            told.push("rolled back");
          }
          told.push(store.read(everything));
        }
      });
      return told;
    });
    const different = seen[0]?.findIndex((one, at) => !isDeepStrictEqual(one, seen[1]?.[at]));
    t.equal(different, -1, `round ${round}`);
  }
  t.same(rig.reopen().read(everything), memory.read(everything), "and all of it is stored");
});

t.test("a transaction of more than is kept in plain is whole or absent all the same", async (t) => {
  const rig = sqliteStore(t);
  const large = new Uint8Array(1_500_000);
  const write = (mark: number) => (tx: Transaction) => {
    for (let n = 0; n < 6; n += 1) tx.put("large", utf8(String(n)), large.fill(mark));
    t.equal(tx.get("large", utf8("0"))?.[0], mark);
  };
  const marks = (store: Store) => store.read((view) => view.scan("large", { limit: 9 }).map(({ value }) => value[0]));
  rig.store.transaction(write(1));
  const failing = () =>
    rig.store.transaction((tx) => {
      write(2)(tx);
      throw new Error("changed its mind");
    });
  t.throws(failing, { message: "changed its mind" });
  t.same(marks(rig.store), [1, 1, 1, 1, 1, 1]);
  rig.store.together(() => {
    rig.store.transaction(write(3));
    t.throws(failing, { message: "changed its mind" });
  });
  t.same(marks(rig.reopen()), [3, 3, 3, 3, 3, 3]);
});

t.test("a shared commit in which nothing stays written does not wait for the disk", async (t) => {
  const rig = sqliteStore(t);
  const put = () => rig.store.transaction((tx) => tx.put("left", utf8("a"), utf8("1")));
  const takenBack = () => {
    rig.store.transaction((tx) => {
      tx.put("left", utf8("b"), utf8("2"));
      throw new Error("changed its mind");
    });
  };
  const cases: [title: string, work: () => void, commits: number][] = [
    ["nothing", () => {}, 0],
    ["a transaction that only reads", () => rig.store.transaction((tx) => tx.get("left", utf8("a"))), 0],
    ["one that is taken back", () => t.throws(takenBack, { message: "changed its mind" }), 0],
    ["one that deletes what is not there", () => rig.store.transaction((tx) => void tx.delete("left", utf8("z"))), 0],
    ["one that writes", put, 1],
    ["one that is taken back beside one that writes", () => [put(), t.throws(takenBack)], 1],
  ];
  for (const [title, work, commits] of cases) {
    const before = rig.commits();
    rig.store.together(work);
    t.equal(rig.commits() - before, commits, title);
  }
  t.throws(() => rig.store.together(takenBack), { message: "changed its mind" }, "what the work throws comes out");
  t.same(
    rig
      .reopen()
      .read((view) => view.scan("left", { limit: 9 }))
      .map(({ id }) => Buffer.from(id).toString()),
    ["a"],
  );
});
