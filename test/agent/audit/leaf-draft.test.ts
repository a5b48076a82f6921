import t from "tap";
import { loadTree, storeStorage, TreeCache } from "../../../agent/audit/index.ts";
import { LeafDraft } from "../../../agent/audit/leaf-draft.ts";
import { readDraftMs } from "../../../agent/audit/limits.ts";
import type { Store } from "../../../agent/store/index.ts";
import { AuditError, type AuditEvent, decodeLeaf, rootOf, sequence } from "../../../protocol/audit/index.ts";
import { sameBytes } from "../../../protocol/base/index.ts";
import { MemoryStore } from "../../support/memory-store.ts";
import { fill, openRig, read, rotated } from "./rig.ts";

interface World {
  readonly store: Store;
  readonly log: ReturnType<typeof openRig>["log"];
}

function rollBack({ store, log }: World, events: AuditEvent[]): void {
  const thrown = new Error("the owner failed");
  try {
    store.transaction((tx) => {
      log.appendAll(tx, events);
      throw thrown;
    });
  } catch (error) {
    if (error !== thrown) throw error;
  }
}

const own = (world: World) => fill(world.store, world.log, 1);

/** What happens before the reads' leaves are drafted, and what between the draft and its commit. */
const histories: readonly { what: string; before?: (world: World) => void; between?: (world: World) => void }[] = [
  { what: "nothing" },
  { what: "a leaf of the log's own", between: own },
  { what: "leaves that were taken back", before: (world) => rollBack(world, [rotated(7)]) },
  { what: "leaves that are taken back", between: (world) => rollBack(world, [rotated(7), rotated(8)]) },
  { what: "as many others as were taken back", before: (world) => rollBack(world, [rotated(7)]), between: own },
  { what: "a leaf of another writer of the log", between: ({ store }) => void openRig({ store }) },
  {
    what: "another writer's after our own were taken back",
    before: (world) => rollBack(world, [rotated(7)]),
    between: ({ store }) => void openRig({ store }),
  },
  {
    what: "the bundles before are freed",
    between: ({ store }) => store.transaction((tx) => storeStorage(0).write(tx).free(0, 256)),
  },
];

/** The histories after which the log is not the one of its leaves, or lacks a read. */
function wrong(): string[] {
  return histories.filter((history) => !isRight(history)).map(({ what }) => what);
}

function isRight({ before, between }: (typeof histories)[number]): boolean {
  const store = new MemoryStore();
  const timers = new HandTimers();
  const { log, stops } = openRig({ store, timers: { after: (delayMs, fire) => timers.after(delayMs, fire) } });
  const world = { store, log };
  const noted: string[] = [];
  fill(store, log, 300);
  try {
    // Twice: what is in memory afterwards has to be right too.
    for (const round of ["a", "b"]) {
      before?.(world);
      const reads = Array.from({ length: 9 }, (_, number) => `${round}${number}`);
      for (const account of reads) log.noteRead(read(account));
      noted.push(...reads);
      timers.fire(readDraftMs);
      // Two of nine were drafted at once, and two in each of these; the last turn commits.
      for (let turn = 0; turn < 4; turn += 1) timers.fire(0);
      between?.(world);
      timers.fire(0);
    }
    const tree = store.read((view) => loadTree(storeStorage(0).read(view), new TreeCache()));
    const leaves = log.leaves(256, 1000).map(decodeLeaf);
    const logged = leaves.filter(({ action }) => action === "credential.read").map(({ subject }) => subject.id);
    const inOrder = leaves.every(({ index }, at) => index === 256 + at) && tree.size === 256 + leaves.length;
    return inOrder && logged.join() === noted.join() && sameBytes(log.head().root, rootOf(tree)) && stops.length === 0;
  } catch (error) {
    if (!(error instanceof AuditError)) throw error;
    return false;
  }
}

/** Timers that are run by hand. */
class HandTimers {
  #waiting: { readonly delayMs: number; readonly fire: () => void }[] = [];

  after(delayMs: number, fire: () => void): () => void {
    const timer = { delayMs, fire };
    this.#waiting.push(timer);
    return () => {
      this.#waiting = this.#waiting.filter((one) => one !== timer);
    };
  }

  /** Fires the one of this delay. */
  fire(delayMs: number): void {
    const timer = this.#waiting.find((one) => one.delayMs === delayMs);
    if (timer === undefined) throw new Error(`no timer of ${delayMs} ms`);
    this.#waiting = this.#waiting.filter((one) => one !== timer);
    timer.fire();
  }
}

t.test("what was drafted ahead is appended only where the log is still the very one that it follows", async (t) => {
  t.same(wrong(), []);
});

t.test("planted: a draft that is appended to another log than it follows is caught", async (t) => {
  const { sequenceOn } = LeafDraft.prototype;
  t.teardown(() => {
    LeafDraft.prototype.sequenceOn = sequenceOn;
  });
  LeafDraft.prototype.sequenceOn = function (tree, events) {
    const drafted = this.finish();
    return drafted.rows.first === tree.size && drafted.rows.leaves.length === events.length
      ? drafted
      : sequenceOn.call(this, tree, events);
  };
  t.same(wrong(), ["as many others as were taken back", "another writer's after our own were taken back"], "of the same size");
  LeafDraft.prototype.sequenceOn = function (tree) {
    return sequence(tree, this.finish().rows.leaves);
  };
  t.ok(wrong().includes("a leaf of the log's own"), "leaves of another place");
});
