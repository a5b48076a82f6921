import { zstdCompressSync } from "node:zlib";
import t from "tap";
import { packBundle, unpackBundle } from "../../../agent/audit/packed-bundle.ts";
import {
  decodeEntryBundle,
  emptyTree,
  encodeEntryBundle,
  encodeEvents,
  maxLeafBytes,
  rootOf,
  sequence,
} from "../../../protocol/audit/index.ts";
import { MemoryStore } from "../../support/memory-store.ts";
import { fill, node, openRig, read } from "./rig.ts";

/** Text, which a comparison takes for alike whatever memory the leaves stand in. */
const texts = (leaves: readonly Uint8Array[]) => leaves.map((leaf) => Buffer.from(leaf).toString("latin1"));
const place = { log: 0, index: 9, time: [1, 2], wallMs: 3, boot: "boot-1", sinceBootMs: 4, node } as const;
const tables = ["audit-bundle", "audit-part"] as const;

t.test("a bundle is compressed from 8 KiB on where that makes it smaller, and comes back as it was", async (t) => {
  const alike = (bytes: number) => encodeEntryBundle([Buffer.alloc(4000, 0x61), Buffer.alloc(bytes - 4004, 0x61)]);
  const different = Buffer.concat(Array.from({ length: 256 }, (_, number) => crypto.getRandomValues(Buffer.alloc(40, number))));
  const cases: readonly (readonly [string, Uint8Array, boolean])[] = [
    ["8,191 bytes", alike(8191), false],
    ["8,192 bytes", alike(8192), true],
    ["8,193 bytes", alike(8193), true],
    ["256 of the longest leaves", encodeEntryBundle(Array(256).fill(Buffer.alloc(maxLeafBytes, 0x61))), true],
    [
      "leaves with nothing in common",
      encodeEntryBundle([different.subarray(0, 5000), different.subarray(5000, 10_000)]),
      false,
    ],
  ];
  for (const [name, bundle, smaller] of cases) {
    const packed = packBundle(bundle);
    t.equal(packed.length < bundle.length, smaller, name);
    t.equal(Buffer.compare(unpackBundle(packed), bundle), 0, name);
  }
  const events = Array.from({ length: 256 }, (_, number) => read(`hall-4/plc-${number}/admin`));
  const reads = encodeEntryBundle(encodeEvents(events, place));
  t.ok(packBundle(reads).length * 20 < reads.length, "reads of one moment take a twentieth");
});

t.test("a stored bundle that does not decompress, or to more than a bundle has, is refused", async (t) => {
  const packed = packBundle(encodeEntryBundle([Buffer.alloc(5000, 0x61), Buffer.alloc(5000, 0x62)]));
  const most = 256 * (2 + maxLeafBytes);
  t.equal(unpackBundle(zstdCompressSync(Buffer.alloc(most))).length, most);
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ["cut", packed.subarray(0, -1)],
    ["its beginning alone", packed.subarray(0, 2)],
    ["another beginning", Buffer.concat([packed.subarray(0, 2), Buffer.from([0, 0]), packed.subarray(4)])],
    ["too much", zstdCompressSync(Buffer.alloc(most + 1))],
  ];
  for (const [name, wrong] of cases) t.throws(() => unpackBundle(wrong), { code: "AUDIT_TILE_MALFORMED" }, name);
});

t.test(
  "a store whose bundles are not compressed goes on; one whose bundles unpack to other leaves does not open",
  async (t) => {
    const store = new MemoryStore();
    const { log } = openRig({ store });
    fill(store, log, 700);
    const before = log.leaves(0, 1000);
    /** The same store with other bytes for its leaves, and how many bytes they are. */
    const rewritten = (change: (leaves: Uint8Array[]) => Uint8Array[], pack: (bundle: Uint8Array) => Uint8Array) => {
      const copy = store.reopen();
      let bytes = 0;
      copy.transaction((tx) => {
        for (const table of tables) {
          for (const { id, value } of tx.scan(table, { limit: 1000 })) {
            const row = pack(encodeEntryBundle(change(decodeEntryBundle(unpackBundle(value)))));
            tx.put(table, id, row);
            bytes += row.length;
          }
        }
      });
      return { copy, bytes };
    };
    const old = rewritten(
      (leaves) => leaves,
      (bundle) => bundle,
    );
    t.ok(old.bytes > 10 * rewritten((leaves) => leaves, packBundle).bytes, "the rows of the log are compressed");
    const again = openRig({ store: old.copy });
    t.same(texts(again.log.leaves(0, before.length)), texts(before));
    fill(old.copy, again.log, 300);
    const reopened = openRig({ store: old.copy.reopen() }).log;
    t.same(reopened.head().root, rootOf(sequence(emptyTree, reopened.leaves(0, 2000)).state));
    const wrong = rewritten((leaves) => leaves.with(-1, leaves[0] as Uint8Array), packBundle);
    t.throws(() => openRig({ store: wrong.copy }), { code: "AUDIT_STATE_MALFORMED" });
  },
);
