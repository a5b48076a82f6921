import { join } from "node:path";
import t from "tap";
import { createLog } from "../../agent/log/index.ts";
import { machineSeams } from "../../agent/seams/index.ts";
import { openStore } from "../../agent/store/index.ts";
import { type Account, accountOf, type OpenOrder } from "../../edge/rotation/account.ts";
import { AccountTurns } from "../../edge/rotation/account-turns.ts";
import { mostAtOnce } from "../../edge/rotation/lanes.ts";
import { accountsInATurn } from "../../edge/rotation/limits.ts";
import type { AccountRecord } from "../../edge/rotation/record.ts";
import { SharedCommits } from "../../edge/rotation/shared-commits.ts";
import { Secret, utf8 } from "../../protocol/base/index.ts";
import { shortFolder } from "../support/short-folder.ts";

const { random } = machineSeams();
const order = { id: new Uint8Array(16) } as OpenOrder;

/** Accounts by number; those of `ordered` have an order. */
function accounts(count: number, ordered: readonly number[] = []): Account[] {
  return Array.from({ length: count }, (_, n) => {
    const account = accountOf(new Uint8Array(16), String(n), { says: null } as AccountRecord);
    account.orders = ordered.includes(n) ? [order] : [];
    return account;
  });
}

/** Turns over a real store whose timers the test fires; `look` notes who had a turn, after what it is given. */
function rig(t: Parameters<typeof shortFolder>[0], look: (account: Account) => void = () => {}) {
  const folder = shortFolder(t);
  let failing: string | null = null;
  const store = openStore({
    path: join(folder, "node.db"),
    markPath: join(folder, "mark"),
    key: new Secret(new Uint8Array(32).fill(3)),
    random,
    failpoint(name) {
      if (name === failing) throw Object.assign(new Error("disk I/O error"), { code: "ERR_SQLITE_ERROR", errcode: 10 });
    },
  });
  t.teardown(() => store.close());
  const timers: (() => void)[] = [];
  const after = (_delayMs: number, fire: () => void) => {
    timers.push(fire);
    return () => {};
  };
  const looked: string[] = [];
  const turns = new AccountTurns(
    new SharedCommits(store, { after }),
    createLog({ level: "silent", node: "edge" }),
    (account) => {
      look(account);
      store.transaction((tx) => tx.put("looked", utf8(account.key), utf8("yes")));
      looked.push(account.key);
    },
  );
  const fire = async () => {
    for (const each of timers.splice(0)) each();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    turns,
    looked,
    fire,
    get waiting() {
      return timers.length;
    },
    failAt(name: string) {
      failing = name;
    },
  };
}

const keys = (list: readonly Account[]) => list.map(({ key }) => key);

t.test("as many as can be under way go first, those with orders before the others", async (t) => {
  const { turns } = rig(t);
  t.equal(turns.first(accounts(mostAtOnce - 1)).length, mostAtOnce - 1);
  t.equal(turns.first(accounts(mostAtOnce)).length, mostAtOnce);
  t.equal(turns.first(accounts(mostAtOnce + 1)).length, mostAtOnce);
  t.same(keys(turns.first(accounts(1_000, [999, 3]))).slice(0, 3), ["3", "999", "0"]);
});

t.test("each of the others has one turn, in parts between which others come in", async (t) => {
  const one = rig(t);
  const all = accounts(mostAtOnce + accountsInATurn + 1);
  const now = one.turns.first(all);
  t.same(one.looked, [], "nobody has a turn before the first ones are under way");
  await one.fire();
  t.equal(one.looked.length, accountsInATurn);
  await one.fire();
  t.same([...keys(now), ...one.looked], keys(all));
  await one.fire();
  t.equal(one.waiting, 0, "then nothing is left to do");
});

t.test("who is first the next time waits no more, and nobody waits twice", async (t) => {
  const one = rig(t);
  const all = accounts(mostAtOnce + 2);
  one.turns.first(all);
  for (const account of all) account.orders = [];
  const last = all.at(-1) as Account;
  last.orders = [order];
  t.equal(one.turns.first(all)[0], last);
  await one.fire();
  await one.fire();
  t.same(one.looked.sort(), [String(mostAtOnce), String(mostAtOnce - 1)].sort());
});

t.test("after the end, or where the writer has stopped, nobody has a turn", async (t) => {
  const closed = rig(t);
  closed.turns.first(accounts(mostAtOnce + 1));
  closed.turns.close();
  await closed.fire();
  t.same(closed.looked, []);

  const failed = rig(t);
  failed.turns.first(accounts(mostAtOnce + 2 * accountsInATurn));
  failed.failAt("store.before-commit");
  await failed.fire();
  await failed.fire();
  t.equal(failed.looked.length, accountsInATurn, "the part that could not be committed is the last one");
  t.equal(failed.waiting, 0);
});
