import { join } from "node:path";
import t from "tap";
import { machineSeams } from "../../agent/seams/index.ts";
import { openStore, type Store, type Transaction } from "../../agent/store/index.ts";
import { KeptRows } from "../../agent/store/kept-rows.ts";
import { SealedRows } from "../../agent/store/sealed-rows.ts";
import { Secret, utf8 } from "../../protocol/base/index.ts";
import { shortFolder } from "../support/short-folder.ts";

const { random } = machineSeams();
const key = new Secret(random(32));
const row = utf8("row");
const long = "long ".repeat(1000);
const thrown = new Error("the owner failed");

const put = (tx: Transaction, text: string) => tx.put("marks", row, utf8(text));

function attempt(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (error !== thrown) throw error;
  }
}

/** More than a transaction holds in plain: what it wrote before is handed to the database. */
function spill(tx: Transaction): void {
  for (let at = 0; at < 5; at += 1) tx.put("things", Uint8Array.of(at), new Uint8Array(1024 * 1024));
}

const spilled = "rolled back after it was handed to the database, and read there";
const failed = "rolled back, for the commit failed when all was written";

/** What happens to a row that says "kept", and what it says then; null where it is gone. */
const histories: readonly { what: string; happens: (store: Store, failNext: () => void) => void; says: string | null }[] = [
  { what: "nothing", happens: () => {}, says: "kept" },
  { what: "replaced", happens: (store) => store.transaction((tx) => put(tx, "new")), says: "new" },
  {
    what: "replaced without a sync",
    happens: (store) => void store.transactionSyncedLater((tx) => put(tx, "new")),
    says: "new",
  },
  { what: "replaced by a long one", happens: (store) => store.transaction((tx) => put(tx, long)), says: long },
  { what: "deleted", happens: (store) => store.transaction((tx) => void tx.delete("marks", row)), says: null },
  {
    what: "deleted and put again",
    happens: (store) =>
      store.transaction((tx) => {
        tx.delete("marks", row);
        put(tx, "new");
      }),
    says: "new",
  },
  {
    what: "rolled back",
    happens: (store) =>
      attempt(() =>
        store.transaction((tx) => {
          put(tx, "lost");
          throw thrown;
        }),
      ),
    says: "kept",
  },
  {
    what: "rolled back as a part of a commit",
    happens: (store) =>
      store.together(() => {
        store.transaction((tx) => put(tx, "new"));
        attempt(() =>
          store.transaction((tx) => {
            put(tx, "lost");
            throw thrown;
          }),
        );
      }),
    says: "new",
  },
  {
    what: spilled,
    happens: (store) =>
      attempt(() =>
        store.transaction((tx) => {
          put(tx, "lost");
          spill(tx);
          if (Buffer.from(tx.get("marks", row) ?? []).toString() === "lost") throw thrown;
        }),
      ),
    says: "kept",
  },
  {
    what: failed,
    happens: (store, failNext) => {
      failNext();
      attempt(() => store.transaction((tx) => put(tx, "lost")));
    },
    says: "kept",
  },
];

/** The histories after which a row says something else than it should, in the store or in the one opened after it. */
function wrong(folder: string): string[] {
  return histories.flatMap(({ what, happens, says }, number) => {
    let failing = false;
    const options = {
      path: join(folder, `${number}.db`),
      markPath: join(folder, `${number}.mark`),
      key,
      random,
      failpoint: (name: string) => {
        if (failing && name === "store.before-commit") throw thrown;
      },
      kept: ["marks"],
    };
    const found: (string | null)[] = [];
    const look = (store: Store) => {
      const value = store.read((view) => view.get("marks", row));
      found.push(value === null ? null : Buffer.from(value).toString());
      // What a reader does to its copy is nobody else's business.
      value?.fill(0);
    };
    const store = openStore(options);
    store.transaction((tx) => put(tx, "kept"));
    look(store);
    happens(store, () => {
      failing = true;
    });
    failing = false;
    look(store);
    store.transaction((tx) => tx.put("things", row, utf8("other")));
    look(store);
    store.close();
    const again = openStore(options);
    look(again);
    again.close();
    return found.join() === ["kept", says, says, says].join() ? [] : [what];
  });
}

t.test("rows that are kept in memory say what the database says, whatever became of the transaction", async (t) => {
  t.same(wrong(shortFolder(t)), []);
});

t.test("planted: rows that are kept wrongly are caught", async (t) => {
  const { take, keep } = KeptRows.prototype;
  const { flush, committed } = SealedRows.prototype;
  t.teardown(() => {
    Object.assign(KeptRows.prototype, { take, keep });
    Object.assign(SealedRows.prototype, { flush, committed });
  });
  KeptRows.prototype.take = function (table, id) {
    return this.find(table, id);
  };
  t.same(wrong(shortFolder(t)), ["replaced by a long one", "deleted", spilled], "not dropped when something is written");
  Object.assign(KeptRows.prototype, { take });
  SealedRows.prototype.flush = function () {
    flush.call(this);
    this.committed();
  };
  t.same(wrong(shortFolder(t)), [spilled, failed], "kept before it was committed");
  Object.assign(SealedRows.prototype, { flush });
  KeptRows.prototype.keep = function (name, value) {
    keep.call(this, { ...name, version: name.version + 1 }, value);
  };
  t.throws(() => wrong(shortFolder(t)), { code: "STORE_DAMAGED" }, "kept under another version");
});
