import t, { type Test } from "tap";
import { Closing } from "../../agent/closing/index.ts";
import { createLog } from "../../agent/log/index.ts";
import { openMemberFolder } from "../../agent/member/index.ts";
import { edgeConfigSchema } from "../../edge/config.ts";
import { beginCore } from "../../edge/core.ts";
import { utf8 } from "../../protocol/base/index.ts";
import { EdgeWorld } from "./edge-world.ts";

const path = "plant-1/meter/user-7";

/** An edge with 300 accounts that ran once, and how its next process begins. */
async function stoppedEdge(t: Test, ran = true) {
  const world = new EdgeWorld(t);
  world.accounts = 301;
  await world.listen();
  await world.join();
  if (ran) await (await world.start()).close();
  const open = async (t: Test) => {
    const closing = new Closing();
    t.teardown(() => closing.run());
    const { seams, unlock, folder, device: adapters } = world;
    const store = await openMemberFolder(folder, { seams, unlock, closing });
    const config = edgeConfigSchema.parse({ gateway: null });
    const log = createLog({ level: "silent", node: "edge" });
    const spaceLeft = () => true;
    const common = { store, config, seams, log, adapters, spaceLeft, closing };
    const begin = () => beginCore({ ...common, version: "0", folder: null });
    return { store, begin, close: () => closing.run() };
  };
  return { world, open };
}

function secretOf(opening: ReturnType<typeof beginCore>, at: string): string | null {
  const found = opening.credentials.find(at);
  return found === null
    ? null
    : found
        .openFields()
        .map(({ value }) => Buffer.from(value).toString())
        .join();
}

/** Parts of the start that were still to do. */
function partsLeft(opening: ReturnType<typeof beginCore>): number {
  for (let parts = 0; ; parts += 1) if (opening.step() !== null) return parts;
}

t.test("a start answers a read before it has read the accounts, and the same after", async (t) => {
  const { open } = await stoppedEdge(t);
  const { begin, close } = await open(t);
  const opening = begin();
  const early = opening.credentials.find(path);
  t.equal(secretOf(opening, path), "secret-7");
  t.equal(secretOf(opening, "plant-1/meter/nobody"), null, "and says at once what it does not hold");
  t.ok(partsLeft(opening) > 5, "the accounts were still to read, in parts");
  t.equal(secretOf(opening, path), "secret-7");
  t.match(opening.credentials.find(path), { version: early?.version, username: early?.username, source: early?.source });
  t.equal(opening.finish().engine.accounts.size, 301);
  await close();
});

t.test("where the last process had not taken everything in, all of it comes first", async (t) => {
  const { open } = await stoppedEdge(t, false);
  const { begin, close } = await open(t);
  const opening = begin();
  t.equal(secretOf(opening, path), "secret-7");
  t.equal(partsLeft(opening), 0, "the read had it done");
  await close();
});

t.test("planted: a path that leads to another account serves nothing of it", async (t) => {
  const { open } = await stoppedEdge(t);
  const { store, begin, close } = await open(t);
  store.transaction((tx) => {
    const rows = tx.scan("path", { limit: 400 });
    t.equal(rows.length, 301);
    for (const [i, { id }] of rows.entries()) tx.put("path", id, rows[(i + 1) % rows.length]?.value ?? id);
  });
  const opening = begin();
  t.equal(secretOf(opening, path), "secret-7", "the account itself says where it is");
  t.equal(partsLeft(opening), 0, "and where it contradicts, all are read");
  await close();
});

t.test("a start that fails while it reads tells each reader the same", async (t) => {
  const { open } = await stoppedEdge(t);
  const { store, begin, close } = await open(t);
  store.transaction((tx) => {
    const [first] = tx.scan("rotation", { limit: 1 });
    if (first !== undefined) tx.put("rotation", first.id, utf8("not an account"));
  });
  const opening = begin();
  t.throws(() => partsLeft(opening), { code: "TCBOR_MALFORMED" });
  t.throws(() => opening.finish(), { code: "TCBOR_MALFORMED" });
  await close();
});
