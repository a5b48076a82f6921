import { join } from "node:path";
import t from "tap";
import { machineSeams } from "../../agent/seams/index.ts";
import { openStore } from "../../agent/store/index.ts";
import { SharedCommits } from "../../edge/rotation/shared-commits.ts";
import { Secret, utf8 } from "../../protocol/base/index.ts";
import { shortFolder } from "../support/short-folder.ts";

const { random } = machineSeams();

/** Shared commits over a real store whose timers the test fires. */
function rig(t: Parameters<typeof shortFolder>[0]) {
  const folder = shortFolder(t);
  const passed: string[] = [];
  const paths = { path: join(folder, "node.db"), markPath: join(folder, "mark") };
  const open = (failpoint: (name: string) => void) =>
    openStore({ ...paths, key: new Secret(new Uint8Array(32).fill(3)), random, failpoint });
  const store = open((name) => void passed.push(name));
  t.teardown(() => store.close());
  const fired: (() => void)[] = [];
  const timers = {
    after: (_delayMs: number, fire: () => void) => {
      fired.push(fire);
      return () => {};
    },
  };
  const commits = new SharedCommits(store, timers);
  const put = (name: string) => store.transaction((tx) => tx.put("row", utf8(name), utf8("x")));
  const has = (name: string) => store.read((view) => view.get("row", utf8(name)) !== null);
  const fire = () => {
    for (const each of fired.splice(0)) each();
  };
  const committed = () => passed.filter((name) => name === "store.after-commit").length;
  return { store, commits, put, has, fire, committed, passed };
}

t.test("what came about the same time is one commit, and nobody is told before it", async (t) => {
  const { commits, put, fire, committed, passed } = rig(t);
  const told: string[] = [];
  const all = ["a", "b", "c"].map((name) =>
    commits
      .add(() => {
        put(name);
        commits.after(() => void told.push(`${name} after ${committed()}`));
      })
      .then(() => told.push(`${name} done`)),
  );
  t.equal(passed.length, 0, "it waits for the others");
  fire();
  await Promise.all(all);
  t.equal(committed(), 1);
  t.same(told, ["a after 1", "b after 1", "c after 1", "a done", "b done", "c done"]);
});

t.test("no more than thirty-two wait for one commit", async (t) => {
  const { commits, put, fire, committed } = rig(t);
  const at: number[] = [];
  const all = Array.from({ length: 65 }, (_, n) => commits.add(() => put(`row ${n}`)).then(() => at.push(committed())));
  for (let turn = 0; turn < 3; turn += 1) {
    fire();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(all);
  t.same(
    at,
    Array.from({ length: 65 }, (_, n) => 1 + Math.floor(n / 32)),
    "the others in their turn",
  );
});

t.test("one that throws is rolled back alone, also what it had written before", async (t) => {
  const { commits, put, has, fire, store } = rig(t);
  const good = commits.add(() => put("good"));
  const bad = commits.add(() => {
    store.transaction((tx) => {
      tx.put("row", utf8("bad"), utf8("x"));
      throw new Error("its own");
    });
  });
  const last = commits.add(() => put("last"));
  fire();
  await t.rejects(bad, { message: "its own" });
  await Promise.all([good, last]);
  t.same(["good", "bad", "last"].map(has), [true, false, true]);
  const again = commits.add(() => put("again"));
  fire();
  await again;
  store.sync();
});

t.test("an error after them undoes none that returned", async (t) => {
  const { commits, put, has, committed } = rig(t);
  const work = () => {
    put("returned");
    throw new Error("later");
  };
  t.throws(() => commits.now(work), { message: "later" });
  t.ok(has("returned"), "an exchange may be under way that it allowed");
  t.equal(committed(), 1);
  put("next");
  t.equal(committed(), 2);
});

t.test("where the commit fails nobody is told that it is done", async (t) => {
  const { commits, put, fire, store } = rig(t);
  const all = ["a", "b"].map((name) => commits.add(() => put(name)));
  const fail = commits.add(() => {
    store.transaction(() => {
      throw Object.assign(new Error("database or disk is full"), { code: "ERR_SQLITE_ERROR", errcode: 13 });
    });
  });
  fire();
  for (const each of [...all, fail]) await t.rejects(each, { code: "STORE_NO_SPACE" });
  t.equal(store.stopped, "STORE_NO_SPACE");
});

t.test("work at once is one commit too, and inside of it nothing waits", async (t) => {
  const { commits, put, committed, has } = rig(t);
  commits.now(() => {
    put("a");
    commits.now(() => put("b"));
  });
  t.equal(committed(), 1);
  t.ok(has("a") && has("b"));
  commits.close();
  await commits.add(() => put("c"));
  t.equal(committed(), 2, "after the end each by itself");
});
