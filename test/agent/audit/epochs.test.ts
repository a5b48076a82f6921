import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { checkpointEveryMs, epochEveryMs, storeStorage, verifyFolder } from "../../../agent/audit/index.ts";
import { identityTable } from "../../../agent/identity/index.ts";
import { openStore } from "../../../agent/store/index.ts";
import { decodeCheckpoint, decodeLeaf, epochKeyName } from "../../../protocol/audit/index.ts";
import { Secret } from "../../../protocol/base/index.ts";
import { MemoryStore } from "../../support/memory-store.ts";
import { shortFolder } from "../../support/short-folder.ts";
import { crashHistories } from "./crash-histories.ts";
import { fill, ManualTime, openRig, rotated } from "./rig.ts";

const signers = (note: Uint8Array | null) =>
  note === null ? [] : decodeCheckpoint(note).note.signatures.map(({ name }) => name);

t.test("a key gives way to the next one after a day of running time, over restarts, and never by the calendar", async (t) => {
  const time = new ManualTime();
  let store = new MemoryStore();
  const epochs = () => store.read((view) => storeStorage(0).read(view).epochKey()?.number);
  for (let run = 0; run < 3; run += 1) {
    const { log } = openRig({ store, time });
    for (let hour = 0; hour < 9; hour += 1) {
      fill(store, log, 1);
      time.pass(3_600_000);
    }
    t.equal(epochs(), run < 2 ? 0 : 1, `after ${9 * (run + 1)} hours`);
    await log.close();
    store = store.reopen();
    // Switched off for a year.
    time.nowMs += 365 * epochEveryMs;
  }
  const { log } = openRig({ store, time });
  fill(store, log, 1);
  time.pass(checkpointEveryMs);
  t.equal(epochs(), 1);
  t.match(
    signers(log.lastCheckpoint()),
    [log.name.node, epochKeyName("", 1)].map((end) => new RegExp(`${end}`)),
  );
});

t.test(
  "sealing an epoch leaves its final checkpoint and a succession in the plain files, and an auditor finds nothing",
  async (t) => {
    const data = shortFolder(t);
    const store = new MemoryStore();
    const { log } = openRig({ store, folder: data });
    for (let round = 0; round < 3; round += 1) {
      fill(store, log, 100);
      await log.sealEpoch([rotated(round)]);
    }
    await log.close();
    const folder = join(data, "audit", "0");
    t.same(readdirSync(join(folder, "epochs")).sort(), ["0", "1", "2"]);
    const verdict = await verifyFolder({ path: folder, anchors: [], vaultId: null, onProgress: () => {} });
    t.same([verdict.findings, verdict.sealedSize], [[], log.head().size]);
    const final = decodeCheckpoint(readFileSync(join(folder, "epochs", "1")));
    const succession = decodeLeaf(log.leaves(final.size, 1)[0] as Uint8Array);
    t.match(succession, { action: "audit.epoch", index: final.size, details: { epoch: 2, from: final.size } });
  },
);

t.test("of an ended epoch's seed nothing is left in the store's files", async (t) => {
  const folder = shortFolder(t);
  const key = new Secret(new Uint8Array(32).fill(5));
  let drawn = 0;
  const random = (length: number) => Uint8Array.from({ length }, () => (drawn = (drawn * 69 + 41) % 251));
  const path = join(folder, "node.db");
  const store = openStore({ path, markPath: join(folder, "mark"), key, random, failpoint: () => {}, erasing: [identityTable] });
  t.teardown(() => store.close());
  const { log } = openRig({ store, random });
  fill(store, log, 10);
  await log.sealEpoch([]);
  const held = () => ["node.db", "node.db-wal"].map((name) => readFileSync(join(folder, name)));
  const rowOf = (table: string) => store.read((view) => view.scan(table, { limit: 10 })).map((row) => row.value.length);
  t.equal(rowOf(identityTable).length, 1, "one key is held");
  // Sealed rows show no plain bytes: that the journal is empty and freed pages are overwritten is what makes the old row go.
  t.equal(held()[1]?.length, 0, "the journal was truncated");
  t.notMatch(
    store.read((view) => storeStorage(0).read(view).epochKey()),
    { number: 0 },
  );
});

t.test("honest logs that crash around appends, checkpoints and epochs raise no alarm", async (t) => {
  const { crashes, epochs, alarms } = crashHistories(60);
  t.same(alarms, []);
  t.ok(crashes > 60 && epochs > 60, `${crashes} crashes, ${epochs} epochs`);
});
