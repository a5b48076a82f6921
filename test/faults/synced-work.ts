// Commits through the real stores and says so after each, for a trace of the system calls in between. Started by sync.test.ts.
import fs, { writeSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { machineSeams } from "../../agent/seams/index.ts";
import { openStore, type Store } from "../../agent/store/index.ts";
import { Secret, utf8 } from "../../protocol/base/index.ts";
import { openVaultStore } from "../../vault/store/index.ts";
import { openRig, read } from "../agent/audit/rig.ts";
import { ready } from "../edge/rotation-rig.ts";
import { TestDevice } from "../edge/test-device.ts";

const commits = 20;
const [folder = "", work = "", planted = ""] = process.argv.slice(2);
const { random, clock } = machineSeams();
const key = new Secret(new Uint8Array(32).fill(3));

const acknowledge = (what: string) => void writeSync(1, `acknowledge ${what}\n`);

/** The planted bug: the setting is taken back behind the store's own check of it. */
function unsynced(): void {
  const { exec } = DatabaseSync.prototype;
  DatabaseSync.prototype.exec = function (sql: string) {
    if (/^begin/.test(sql) && !this.isTransaction) exec.call(this, "pragma synchronous = off");
    return exec.call(this, sql);
  };
}

function nodeStore(): Store {
  return openStore({ path: join(folder, "node.db"), markPath: join(folder, "mark"), key, random, failpoint: () => {} });
}

/** The planted bug: the sync of the reads says that it worked. */
function unsyncedReads(): void {
  Object.assign(fs, { fdatasync: (_descriptor: number, done: (error: null) => void) => setImmediate(done, null) });
  syncBuiltinESMExports();
}

/** A log over the store whose timers are run by hand. */
function readLog(store: Store) {
  const waiting: { readonly delayMs: number; readonly fire: () => void; readonly cancelled: Promise<void> }[] = [];
  const after = (delayMs: number, fire: () => void) => {
    const { promise: cancelled, resolve: cancel } = Promise.withResolvers<void>();
    waiting.push({ delayMs, fire, cancelled });
    return cancel;
  };
  const { log } = openRig({ store, timers: { after } });
  return {
    log,
    /** Ends the window of the read that was just noted; `synced` resolves once the sync has worked or failed. */
    commitReads(): { readonly synced: Promise<void> } {
      const window = waiting.length;
      waiting[window - 1]?.fire();
      waiting.findLast(({ delayMs }) => delayMs === 0)?.fire();
      return { synced: waiting[window]?.cancelled ?? Promise.reject(new Error("no window ended")) };
    },
  };
}

/** A device that says when something reaches it: by then everything that was decided must be on the disk. */
class TellingDevice extends TestDevice {
  override async run(...given: Parameters<TestDevice["run"]>): ReturnType<TestDevice["run"]> {
    acknowledge(given[1]);
    return super.run(...given);
  }
}

const works: Readonly<Record<string, () => Promise<void>>> = {
  async node() {
    const store = nodeStore();
    acknowledge("opened");
    for (let i = 0; i < commits; i += 1) {
      store.transaction((tx) => tx.put("row", utf8(String(i % 3)), utf8(`value ${i}`)));
      acknowledge(`commit ${i}`);
    }
    store.close();
  },
  async reads() {
    const store = nodeStore();
    const { log, commitReads } = readLog(store);
    acknowledge("opened");
    for (let i = 0; i < commits; i += 1) {
      log.noteRead(read("a"));
      const { synced } = commitReads();
      acknowledge(`read ${log.head().size}`);
      await synced;
      if (store.stopped !== null) break;
      acknowledge("synced");
      store.transaction((tx) => tx.put("row", utf8("row"), utf8(`value ${i}`)));
      acknowledge("commit");
    }
    acknowledge(`${store.stopped} ${log.head().size}`);
    store.close();
  },
  async vault() {
    const store = await openVaultStore({ path: join(folder, "node.db"), clock });
    acknowledge("opened");
    for (let i = 0; i < commits; i += 1) {
      await store.transaction((tx) =>
        tx
          .insertInto("zones")
          .values({ name: `zone-${i}`, created_at: i })
          .execute(),
      );
      acknowledge(`commit ${i}`);
    }
    await store.close();
  },
  async rotation() {
    const store = nodeStore();
    const rig = ready({ store });
    rig.device = new TellingDevice();
    acknowledge("opened");
    await rig.order("rotate").pass(3_600_000);
    acknowledge(rig.device.live);
    store.close();
  },
};

if (planted === "unsynced") unsynced();
if (planted === "unsynced reads") unsyncedReads();
await works[work]?.();
