import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { auditMarkTable, openAuditLog, storeStorage } from "../../agent/audit/index.ts";
import { identityTable } from "../../agent/identity/index.ts";
import { openStore, type Store } from "../../agent/store/index.ts";
import { hashLeaf, hashNode } from "../../protocol/audit/index.ts";
import { Secret } from "../../protocol/base/index.ts";
import { eventAt, keys, name, seed } from "./audit-sample.ts";
import { median, type Row, thousands } from "./row.ts";

/** Leaves of one commit: what a busy node's applications read within a window. */
const batch = 1_000;
/** A node runs for years: what is measured is not its first second. */
const warmUpRounds = 3;
/** SQLite moves its journal into the database after some nine of these commits: a round has that twice. */
const commitsPerRound = 20;
const rounds = 9;

/** Time of one commit of each, ms, in the middle of the rounds. They take turns, so that what else the machine does hits all of them. */
function timed(works: readonly (() => void)[]): number[] {
  const round = (work: () => void): number => {
    const started = performance.now();
    for (let i = 0; i < commitsPerRound; i += 1) work();
    return (performance.now() - started) / commitsPerRound;
  };
  for (let i = 0; i < warmUpRounds; i += 1) works.map(round);
  const taken = Array.from({ length: rounds }, () => works.map(round));
  return works.map((_, work) => median(taken.map((times) => times[work] ?? Number.NaN)));
}

/** Appending as a busy node does: the leaves of a window in one durable commit, sealed; against their bytes alone in a table. */
export const auditAppendRow: Row = {
  name: "audit leaves appended a second, a window's leaves in one commit",
  target: "at least 50,000, and at least 0.5 of a bare SQLite insert of the same bytes",
  async measure() {
    const folder = mkdtempSync(join(tmpdir(), "tidegate-bench-"));
    const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
    const store = openStore({
      path: join(folder, "node.db"),
      markPath: join(folder, "mark"),
      key: new Secret(seed(9)),
      random,
      failpoint: () => {},
      erasing: [identityTable],
      kept: [auditMarkTable],
    });
    const bare = new DatabaseSync(join(folder, "bare.db"));
    try {
      const log = openLog(store, random);
      const events = Array.from({ length: batch }, (_, number) => eventAt(number));
      const append = () => store.transaction((tx) => void log.appendAll(tx, events));
      append();
      const leaves = log.leaves(1, batch);
      const works = [append, bareInsert(bare, leaves), () => hashTwice(leaves)];
      const [ours = Number.NaN, theirs = Number.NaN, hashing = Number.NaN] = timed(works);
      const perSecond = (batch / ours) * 1000;
      const ratio = theirs / ours;
      const floor = (theirs + hashing) / ours;
      const bytes = leaves.reduce((sum, leaf) => sum + leaf.length, 0) / batch;
      return {
        figure:
          `${thousands(perSecond)} leaves a second of ${Math.round(bytes)} bytes, ${ratio.toFixed(2)} x bare SQLite ` +
          `(${floor.toFixed(2)} x that and the hashes of a tree)`,
        met: perSecond >= 50_000 && ratio >= 0.5,
        numbers: { perSecond, ratio, floor, bareSecond: (batch / theirs) * 1000, leafBytes: bytes },
      };
    } finally {
      store.close();
      bare.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function openLog(store: Store, random: (length: number) => Uint8Array) {
  const storage = storeStorage(name.serial);
  store.transaction((tx) => storage.write(tx).putEpochKey({ number: 0, seed: seed(4) }));
  const clock = {
    wallMs: () => Date.now(),
    sinceBootMs: () => performance.now(),
    bootId: () => "0f0f0f0f-0000-4000-8000-0123456789ab",
  };
  return openAuditLog({
    name,
    logKey: keys.log,
    clock,
    random,
    interval: () => [Date.now(), Date.now() + 1000],
    store,
    storage,
    timers: { after: () => () => {} },
    failpoint: () => {},
    node: { version: "0", role: "edge" },
    mirror: null,
    onStopped: () => {},
  });
}

/** The least that a Merkle tree costs: each leaf's hash, and one of two hashes for it. */
function hashTwice(leaves: readonly Uint8Array[]): void {
  for (const leaf of leaves) {
    const hash = hashLeaf(leaf);
    hashNode(hash, hash);
  }
}

/** One commit of the same bytes with the settings that the node's store has, each leaf a row. */
function bareInsert(bare: DatabaseSync, leaves: readonly Uint8Array[]): () => void {
  bare.exec(`
    pragma locking_mode = exclusive;
    pragma journal_mode = wal;
    pragma synchronous = full;
    pragma secure_delete = on;
    pragma cache_size = -8192;
    create table leaves (place integer primary key, leaf blob not null);
  `);
  const insert = bare.prepare("insert into leaves values (?, ?)");
  let place = 0;
  return () => {
    bare.exec("begin immediate");
    for (const leaf of leaves) insert.run(place++, leaf);
    bare.exec("commit");
  };
}
