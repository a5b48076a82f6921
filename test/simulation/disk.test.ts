import { join } from "node:path";
import t, { type Test } from "tap";
import { machineSeams } from "../../agent/seams/index.ts";
import { openStore, type Store } from "../../agent/store/index.ts";
import { Secret, utf8 } from "../../protocol/base/index.ts";
import { shortFolder } from "../support/short-folder.ts";
import { Disk } from "./disk.ts";

/** A store, and what it holds for a process that comes after it. */
interface Rig {
  readonly store: Store;
  /** The next commit finds the disk full. */
  fill(): void;
  commits(): number;
}

function sqlite(t: Test): Rig {
  const folder = shortFolder(t);
  const { random } = machineSeams();
  let full = false;
  let commits = 0;
  const failpoint = (name: string) => {
    if (name === "store.after-commit") commits += 1;
    if (name === "store.before-commit" && full) throw Object.assign(new Error("full"), { errcode: 13 });
  };
  const key = new Secret(new Uint8Array(32).fill(3));
  const store = openStore({ path: join(folder, "node.db"), markPath: join(folder, "mark"), key, random, failpoint });
  t.teardown(() => store.close());
  const fill = () => {
    full = true;
  };
  return { store, fill, commits: () => commits };
}

function simulated(): Rig {
  const disk = new Disk();
  const store = disk.mount({ alive: true, seams: machineSeams(), die: () => {} });
  return { store, fill: () => disk.plan("no space", 0), commits: () => disk.commits };
}

const put = (store: Store, name: string) => store.transaction((tx) => tx.put("row", utf8(name), utf8("x")));

const throwing = (store: Store, name: string) =>
  store.transaction((tx) => {
    tx.put("row", utf8(name), utf8("x"));
    throw new Error("its own");
  });

interface Case {
  readonly title: string;
  readonly full?: boolean;
  readonly work: (store: Store) => void;
  readonly rows: readonly string[];
  readonly commits: number;
  readonly throws?: { readonly message: string } | { readonly code: string };
}

const cases: readonly Case[] = [
  {
    title: "what is written together is one commit",
    work: (store) => ["a", "b"].map((name) => put(store, name)),
    rows: ["a", "b"],
    commits: 1,
  },
  {
    title: "what is thrown after a transaction that returned undoes nothing",
    work: (store) => {
      put(store, "a");
      throw new Error("later");
    },
    rows: ["a"],
    commits: 1,
    throws: { message: "later" },
  },
  {
    title: "a transaction that throws takes its own back, whoever catches it",
    work: (store) => {
      put(store, "a");
      try {
        throwing(store, "b");
      } catch {
        put(store, "c");
      }
    },
    rows: ["a", "c"],
    commits: 1,
  },
  {
    title: "and where nobody does, only its own",
    work: (store) => {
      put(store, "a");
      throwing(store, "b");
    },
    rows: ["a"],
    commits: 1,
    throws: { message: "its own" },
  },
  {
    title: "inside of itself it shares the commit that is there",
    work: (store) => {
      store.together(() => put(store, "a"));
      put(store, "b");
    },
    rows: ["a", "b"],
    commits: 1,
  },
  {
    title: "where the commit fails nothing of it happened, and that is what is told",
    full: true,
    work: (store) => {
      put(store, "a");
      throw new Error("later");
    },
    rows: [],
    commits: 0,
    throws: { code: "STORE_NO_SPACE" },
  },
];

for (const { title, full = false, work, rows, commits, throws } of cases) {
  t.test(`a shared commit, simulated as it is: ${title}`, async (t) => {
    for (const rig of [sqlite(t), simulated()]) {
      if (full) rig.fill();
      if (throws === undefined) rig.store.together(() => work(rig.store));
      else t.throws(() => rig.store.together(() => work(rig.store)), throws);
      const found = rig.store.read((view) => view.scan("row", { limit: 9 }));
      t.same(
        found.map(({ id }) => Buffer.from(id).toString()),
        rows,
      );
      t.equal(rig.commits(), commits);
      if (full) t.throws(() => put(rig.store, "next"), { code: "STORE_STOPPED" });
    }
  });
}
