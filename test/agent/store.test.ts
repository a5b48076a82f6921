import { copyFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import t, { type Test } from "tap";
import type { Failpoint } from "../../agent/seams/index.ts";
import { machineSeams } from "../../agent/seams/index.ts";
import { openStore, type Store } from "../../agent/store/index.ts";
import { Secret, utf8 } from "../../protocol/base/index.ts";
import { MemoryStore } from "../support/memory-store.ts";

const { random } = machineSeams();
const key = new Secret(random(32));
const rowOne = utf8("one");
const rowTwo = utf8("two");

interface Rig {
  store: Store;
  reopen(): Store;
  /** Makes the next commit fail as the disk would. */
  failNext(fault: "STORE_NO_SPACE" | "STORE_IO"): void;
  /** The same for the next sync beside the event loop. */
  failNextSync(fault: "STORE_NO_SPACE" | "STORE_IO"): void;
}

function memoryRig(): Rig {
  const rig = {
    store: new MemoryStore(),
    reopen() {
      rig.store = rig.store.reopen();
      return rig.store;
    },
    failNext: (fault: "STORE_NO_SPACE" | "STORE_IO") => rig.store.failNext(fault),
    failNextSync: (fault: "STORE_NO_SPACE" | "STORE_IO") => rig.store.failNextSync(fault),
  };
  return rig;
}

function paths(folder: string) {
  return { path: join(folder, "node.db"), markPath: join(folder, "mark") };
}

function open(folder: string, failpoint: Failpoint = () => {}, storeKey = key): Store {
  return openStore({ ...paths(folder), key: storeKey, random, failpoint });
}

function sqliteRig(folder: string): Rig {
  let fault: { readonly at: string; readonly error: object } | null = null;
  const failpoint: Failpoint = (name) => {
    if (name === fault?.at) throw Object.assign(new Error("planted"), fault.error);
  };
  const rig = {
    store: open(folder, failpoint),
    reopen() {
      rig.store.close();
      fault = null;
      rig.store = open(folder, failpoint);
      return rig.store;
    },
    failNext(code: "STORE_NO_SPACE" | "STORE_IO") {
      fault = { at: "store.before-commit", error: { errcode: code === "STORE_NO_SPACE" ? 13 : 10 | (4 << 8) } };
    },
    failNextSync(code: "STORE_NO_SPACE" | "STORE_IO") {
      fault = { at: "store.before-sync", error: { syscall: "fdatasync", code: code === "STORE_NO_SPACE" ? "ENOSPC" : "EIO" } };
    },
  };
  return rig;
}

function contract(name: string, makeRig: (t: Test) => Rig): void {
  t.test(`${name}: what a transaction wrote is read back, in id order, also after reopening`, async (t) => {
    const rig = makeRig(t);
    rig.store.transaction((tx) => {
      for (const id of ["b", "a", "ab", "c"]) tx.put("things", utf8(id), utf8(`value ${id}`));
      tx.put("others", utf8("b"), utf8("another table"));
      t.same(tx.get("things", utf8("a")), utf8("value a"), "seen inside the transaction");
    });
    const store = rig.reopen();
    const names = (options: Parameters<Parameters<Parameters<Store["read"]>[0]>[0]["scan"]>[1]) =>
      store.read((view) => view.scan("things", options).map((row) => Buffer.from(row.id).toString()));
    t.same(names({ limit: 10 }), ["a", "ab", "b", "c"]);
    t.same(names({ limit: 2 }), ["a", "ab"]);
    t.same(names({ limit: 10, from: utf8("b") }), ["b", "c"]);
    t.same(names({ limit: 10, reverse: true }), ["c", "b", "ab", "a"]);
    t.same(names({ limit: 1, reverse: true, from: utf8("bb") }), ["b"]);
    t.same(names({ limit: 10, prefix: utf8("a") }), ["a", "ab"]);
    t.same(names({ limit: 10, prefix: utf8("a"), from: utf8("aa") }), ["ab"]);
    t.equal(
      store.read((view) => view.count("things")),
      4,
    );
    t.equal(
      store.transaction((tx) => tx.delete("things", utf8("a"))),
      true,
    );
    t.equal(
      store.transaction((tx) => tx.delete("things", utf8("a"))),
      false,
    );
    t.same(
      store.read((view) => view.get("things", utf8("a"))),
      null,
    );
    t.same(
      store.read((view) => view.get("others", utf8("b"))),
      utf8("another table"),
    );
    store.close();
  });

  t.test(`${name}: a transaction that throws leaves nothing behind`, async (t) => {
    const rig = makeRig(t);
    rig.store.transaction((tx) => tx.put("things", rowOne, utf8("old")));
    t.throws(
      () =>
        rig.store.transaction((tx) => {
          tx.put("things", rowOne, utf8("new"));
          tx.put("things", rowTwo, utf8("new"));
          tx.delete("things", rowOne);
          throw new Error("changed my mind");
        }),
      { message: "changed my mind" },
    );
    t.equal(rig.store.stopped, null);
    t.same(
      rig.store.read((view) => view.scan("things", { limit: 9 })),
      [{ id: rowOne, value: utf8("old") }],
    );
    rig.store.transaction((tx) => tx.put("things", rowTwo, utf8("later")));
    t.equal(
      rig.reopen().read((view) => view.count("things")),
      2,
    );
    rig.store.close();
  });

  for (const fault of ["STORE_NO_SPACE", "STORE_IO"] as const) {
    t.test(`${name}: after ${fault} the writer stops for good, reads go on, a restart mends it`, async (t) => {
      const rig = makeRig(t);
      rig.store.transaction((tx) => tx.put("things", rowOne, utf8("kept")));
      rig.failNext(fault);
      t.throws(() => rig.store.transaction((tx) => tx.put("things", rowOne, utf8("lost"))), { code: fault });
      t.equal(rig.store.stopped, fault);
      t.throws(() => rig.store.transaction(() => 0), { code: "STORE_STOPPED" });
      t.same(
        rig.store.read((view) => view.get("things", rowOne)),
        utf8("kept"),
      );
      t.same(
        rig.reopen().read((view) => view.get("things", rowOne)),
        utf8("kept"),
      );
      rig.store.transaction((tx) => tx.put("things", rowOne, utf8("new")));
      rig.store.close();
    });
  }
}

function syncedLater(name: string, makeRig: (t: Test) => Rig): void {
  const put = (store: Store, value: string) => store.transactionSyncedLater((tx) => tx.put("things", rowOne, utf8(value)));
  const value = (store: Store) => Buffer.from(store.read((view) => view.get("things", rowOne)) ?? []).toString();

  t.test(`${name}: what is synced later is seen at once, in the order of all commits, and there after a close`, async (t) => {
    const rig = makeRig(t);
    const first = put(rig.store, "first");
    t.equal(value(rig.store), "first");
    rig.store.transaction((tx) => tx.put("things", rowTwo, utf8("between")));
    const second = put(rig.store, "second");
    rig.store.sync();
    const third = put(rig.store, "third");
    t.throws(() => rig.store.transactionSyncedLater(() => void put(rig.store, "inside")), { name: "AssertionError" });
    const failing = () =>
      rig.store.transactionSyncedLater((tx) => {
        tx.put("things", rowOne, utf8("new"));
        throw new Error("changed my mind");
      });
    t.throws(failing, { message: "changed my mind" });
    const { store } = rig;
    rig.reopen();
    await Promise.all([first, second, third]);
    store.close();
    t.equal(value(rig.store), "third");
    rig.store.close();
  });

  for (const fault of ["STORE_NO_SPACE", "STORE_IO"] as const) {
    t.test(`${name}: after ${fault} in a later sync the writer stops for good, and no sync is tried again`, async (t) => {
      const rig = makeRig(t);
      rig.store.transaction((tx) => tx.put("things", rowTwo, utf8("kept")));
      rig.failNextSync(fault);
      const syncs = [put(rig.store, "first"), put(rig.store, "second")];
      const told = await Promise.allSettled(syncs);
      t.match(told, [{ reason: { code: fault } }, { reason: { code: fault } }]);
      t.equal(rig.store.stopped, fault);
      t.throws(() => put(rig.store, "third"), { code: "STORE_STOPPED" });
      t.throws(() => rig.store.sync(), { code: "STORE_STOPPED" });
      t.equal(value(rig.store), "second", "reads go on");
      put(rig.reopen(), "third");
      rig.store.close();
    });
  }
}

contract("memory store", memoryRig);
syncedLater("memory store", memoryRig);
syncedLater("sqlite store", (t) => sqliteRig(t.testdir()));
contract("sqlite store", (t) => sqliteRig(t.testdir()));

t.test("nothing of a row stands in the files in the clear, and they are the owner's alone", async (t) => {
  const folder = t.testdir();
  const store = open(folder);
  store.transaction((tx) => tx.put("things", rowOne, utf8("marker-secret-of-the-store")));
  for (const file of ["node.db", "node.db-wal", "mark"]) {
    t.notMatch(readFileSync(join(folder, file)).toString("latin1"), /marker-secret/);
    t.equal(statSync(join(folder, file)).mode & 0o077, 0, `${file} is 0600`);
  }
  store.close();
});

t.test("a second opening is refused while the store is open", async (t) => {
  const folder = t.testdir();
  const store = open(folder);
  t.throws(() => open(folder), { code: "STORE_LOCKED" });
  store.close();
  open(folder).close();
});

t.test("a store that was tampered with is refused", async (t) => {
  const tampering: [title: string, code: string, sql: string | ((folder: string) => void)][] = [
    [
      "two rows swapped",
      "STORE_DAMAGED",
      "update row set sealed = (select sealed from row r where r.tbl = 'things' and r.id <> row.id) where tbl = 'things'",
    ],
    ["a row removed", "STORE_DAMAGED", "delete from row where tbl = 'things' and id = cast('one' as blob)"],
    ["a row added", "STORE_DAMAGED", "insert into row select 'more', id, version, sealed from row where tbl = 'things'"],
    ["a row's version changed", "STORE_DAMAGED", "update row set version = version + 1 where tbl = 'things'"],
    ["a version below zero", "STORE_DAMAGED", "update row set version = -1 where tbl = 'things'"],
    ["an id longer than any", "STORE_DAMAGED", "update row set id = cast(id || zeroblob(80) as blob) where tbl = 'things'"],
    ["the sum's row removed", "STORE_DAMAGED", "delete from row where tbl = ''"],
    ["everything removed", "STORE_ROLLED_BACK", "delete from row"],
    ["its mark removed", "STORE_ROLLED_BACK", (folder) => writeFileSync(join(folder, "mark"), "")],
    ["its file overwritten", "STORE_DAMAGED", (folder) => writeFileSync(join(folder, "node.db"), "x".repeat(5000))],
  ];
  for (const [title, code, change] of tampering) {
    const folder = t.testdir();
    const store = open(folder);
    store.transaction((tx) => tx.put("things", rowOne, utf8("first")));
    store.transaction((tx) => tx.put("things", rowTwo, utf8("other")));
    store.close();
    if (typeof change === "function") change(folder);
    else {
      const database = new DatabaseSync(join(folder, "node.db"));
      database.exec(change);
      database.close();
    }
    const readAll = () => {
      const opened = open(folder);
      try {
        opened.read((view) => view.scan("things", { limit: 9 }));
      } finally {
        opened.close();
      }
    };
    t.throws(readAll, { code }, title);
  }
});

t.test(
  "a store rolled back to a copy is refused, one row put back from a copy too, and another store's key as well",
  async (t) => {
    const folder = t.testdir();
    const store = open(folder);
    store.transaction((tx) => tx.put("things", rowOne, utf8("first")));
    store.close();
    copyFileSync(join(folder, "node.db"), join(folder, "copy.db"));
    const again = open(folder);
    again.transaction((tx) => tx.put("things", rowOne, utf8("second")));
    again.close();
    copyFileSync(join(folder, "node.db"), join(folder, "newest.db"));

    copyFileSync(join(folder, "copy.db"), join(folder, "node.db"));
    t.throws(() => open(folder), { code: "STORE_ROLLED_BACK" });

    copyFileSync(join(folder, "newest.db"), join(folder, "node.db"));
    const database = new DatabaseSync(join(folder, "node.db"));
    database.exec(`attach '${join(folder, "copy.db")}' as old;
    insert or replace into row select * from old.row where tbl = 'things'`);
    database.close();
    t.throws(() => open(folder), { code: "STORE_DAMAGED" });

    copyFileSync(join(folder, "newest.db"), join(folder, "node.db"));
    t.throws(() => open(folder, () => {}, new Secret(random(32))), { code: "STORE_DAMAGED" });
    open(folder).close();
  },
);

t.test("a crash between commit and mark is no rollback", async (t) => {
  const folder = t.testdir();
  const store = open(folder);
  store.transaction((tx) => tx.put("things", rowOne, utf8("first")));
  copyFileSync(join(folder, "mark"), join(folder, "older-mark"));
  store.transaction((tx) => tx.put("things", rowOne, utf8("second")));
  store.close();
  copyFileSync(join(folder, "older-mark"), join(folder, "mark"));
  const opened = open(folder);
  t.same(
    opened.read((view) => view.get("things", rowOne)),
    utf8("second"),
  );
  opened.close();
});

t.test("an erased key leaves no old copy in the journal", async (t) => {
  const folder = t.testdir();
  const store = openStore({ ...paths(folder), key, random, failpoint: () => {}, erasing: ["keys"] });
  store.transaction((tx) => tx.put("keys", rowOne, utf8("x".repeat(64))));
  t.ok(statSync(join(folder, "node.db-wal")).size > 0);
  store.transaction((tx) => tx.delete("keys", rowOne));
  t.equal(statSync(join(folder, "node.db-wal")).size, 0);
  store.close();
});

t.test("a crash between a commit and its later sync is no rollback, for the mark tells of synced commits only", async (t) => {
  const folder = t.testdir();
  const copies = t.testdir();
  const files = ["node.db", "node.db-wal", "mark"];
  const keep = (name: string, ...which: string[]) => {
    for (const file of which) copyFileSync(join(folder, file), join(copies, `${name}-${file}`));
  };
  const store = open(folder);
  const put = (value: string) => store.transactionSyncedLater((tx) => tx.put("things", rowOne, utf8(value)));
  store.transaction((tx) => tx.put("things", rowOne, utf8("durable")));
  keep("durable", ...files);
  const unsynced = put("unsynced");
  keep("committed", "mark");
  await unsynced;
  keep("synced", ...files);
  const overtaken = put("overtaken");
  store.transaction((tx) => tx.put("things", rowTwo, utf8("waited for")));
  keep("waited", "mark");
  await overtaken;
  keep("overtaken", "mark");
  store.close();

  const found = (database: string, mark: string) => {
    for (const file of ["node.db", "node.db-wal"]) copyFileSync(join(copies, `${database}-${file}`), join(folder, file));
    copyFileSync(join(copies, `${mark}-mark`), join(folder, "mark"));
    const opened = open(folder);
    const value = opened.read((view) => view.get("things", rowOne));
    opened.close();
    return Buffer.from(value ?? []).toString();
  };
  t.equal(found("durable", "committed"), "durable", "lost in a power cut, and nothing claims more");
  t.equal(found("synced", "committed"), "unsynced");
  t.throws(() => found("durable", "synced"), { code: "STORE_ROLLED_BACK" }, "a mark that was written before would be an alarm");
  t.throws(() => found("synced", "waited"), { code: "STORE_ROLLED_BACK" });
  t.throws(
    () => found("synced", "overtaken"),
    { code: "STORE_ROLLED_BACK" },
    "a sync that ends late does not set the mark back",
  );
});

t.test("a checkpoint of the journal between a commit and its sync loses nothing", async (t) => {
  const folder = t.testdir();
  const store = open(folder);
  const large = new Uint8Array(1_500_000);
  const syncs = [1, 2, 3, 4].map((round) =>
    store.transactionSyncedLater((tx) => {
      for (const id of [rowOne, rowTwo]) tx.put("things", id, large.fill(round));
    }),
  );
  await Promise.all(syncs);
  t.ok(statSync(join(folder, "node.db")).size > 2 * large.length, "pages went from the journal into the database");
  store.close();
  const opened = open(folder);
  t.same(opened.read((view) => view.get("things", rowTwo))?.[9], 4);
  opened.close();
});

t.test("erasing a key waits for the disk", async (t) => {
  const store = openStore({ ...paths(t.testdir()), key, random, failpoint: () => {}, erasing: ["keys"] });
  store.transaction((tx) => tx.put("keys", rowOne, utf8("old")));
  t.throws(() => store.transactionSyncedLater((tx) => void tx.delete("keys", rowOne)), { name: "AssertionError" });
  t.same(
    store.read((view) => view.get("keys", rowOne)),
    utf8("old"),
  );
  store.close();
});

t.test("planted: a store whose commits do not sync again after one that did not stops writing", async (t) => {
  const store = open(t.testdir());
  const { exec } = DatabaseSync.prototype;
  t.teardown(() => {
    DatabaseSync.prototype.exec = exec;
  });
  DatabaseSync.prototype.exec = function (sql: string) {
    if (!/synchronous = full/.test(sql)) exec.call(this, sql);
  };
  await store.transactionSyncedLater((tx) => tx.put("things", rowOne, utf8("one")));
  t.throws(() => store.transaction((tx) => tx.put("things", rowOne, utf8("two"))), { code: "STORE_IO" });
  t.equal(store.stopped, "STORE_IO");
  t.same(
    store.read((view) => view.get("things", rowOne)),
    utf8("one"),
  );
  t.throws(() => store.transaction(() => {}), { code: "STORE_STOPPED" });
  store.close();
});
