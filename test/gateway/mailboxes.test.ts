import { cpSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { createLog } from "../../agent/log/index.ts";
import { type JoinedNode, joinNode, openNode } from "../../agent/node/index.ts";
import { machineSeams } from "../../agent/seams/index.ts";
import { openStore, type Store } from "../../agent/store/index.ts";
import { Mailboxes, type PassingItem, verifyPassing, type Way } from "../../gateway/mailbox/index.ts";
import { Secret, utf8 } from "../../protocol/base/index.ts";
import { bundleLimits, type DesiredEntry, openBundle, type StreamHead, startReceiver } from "../../protocol/bundle/index.ts";
import { encodeContent, encodeFact } from "../../protocol/content/index.ts";
import { decodeCarrier, encodeCarrier } from "../../protocol/envelope/index.ts";
import { sealingKeyFromSeed } from "../../protocol/keys/index.ts";
import { nodeRole } from "../../protocol/trust/index.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { PaperVault } from "../support/paper-vault.ts";
import { shortFolder } from "../support/short-folder.ts";

const { random } = machineSeams();
const marker = "marker-secret-of-an-edge";
const plenty = 1e9;

function application(name: string, number: number): DesiredEntry {
  const content = {
    kind: "application",
    name,
    tokenHash: null,
    uid: null,
    grants: [],
    disabled: false,
    person: false,
  } as const;
  return { ...encodeContent(content), id: new Uint8Array(16), index: { epoch: 1, number }, authority: null };
}

/** A vault on paper, an edge of it, and what passes between them. */
class Passing {
  readonly vault = new PaperVault();
  readonly edgeStore = new MemoryStore();
  readonly edge: JoinedNode;

  private constructor(vault: PaperVault, store: MemoryStore) {
    this.vault = vault;
    this.edgeStore = store;
    const clock = new ManualClock();
    this.edge = openNode({
      store,
      seams: { clock, timers: clock, random, failpoint: () => {} },
      log: createLog({ level: "silent", node: "edge" }),
      hooks: { capabilities: [] },
      wall: { gapMs: 0, trusted: false },
      role: "edge",
      version: "1",
      auditFolder: null,
      onStopped: () => {},
    }).node;
  }

  static async make(): Promise<Passing> {
    const vault = new PaperVault();
    const store = new MemoryStore();
    const code = vault.enrol("edge-1", nodeRole.edge);
    const exchange = async (request: Uint8Array) => vault.answer(request, code);
    await joinNode({ store, code, role: nodeRole.edge, seams: { clock: new ManualClock(), random }, exchange });
    return new Passing(vault, store);
  }

  down(number: number): Uint8Array {
    return this.vault.delta(this.edge.nodeId, [application(`n${number} ${marker}`, number)]) as Uint8Array;
  }

  up(subject: string): Uint8Array {
    const fact = encodeFact({ kind: "identity", deviceId: new Uint8Array(16), identity: subject });
    const before = this.edge.reports(null, { items: 9999, bytes: plenty }).length;
    this.edgeStore.transaction((tx) => this.edge.queueReport(tx, [fact]));
    this.edge.flushReport();
    const report = this.edge.reports(null, { items: 9999, bytes: plenty })[before];
    if (report === undefined) throw new Error("no report");
    return report.carrier;
  }

  verify(carrier: Uint8Array, way: Way): PassingItem {
    const { trust, mailbox } = this.vault;
    return verifyPassing(carrier, { way, edge: this.edge.nodeId, trust, vaultMailbox: mailbox });
  }

  put(mailboxes: Mailboxes, carrier: Uint8Array, way: Way) {
    return mailboxes.put(this.verify(carrier, way), carrier);
  }

  seqs(mailboxes: Mailboxes, way: Way): number[] {
    return mailboxes.items(this.edge.nodeId, way, null, 5000).map(({ place }) => place.seq);
  }
}

t.test("a mailbox holds what its recipient has not acknowledged, and nothing else", async (t) => {
  const passing = await Passing.make();
  const { edge } = passing;
  const mailboxes = new Mailboxes(new MemoryStore(), plenty);
  const carriers = [1, 2, 3].map((number) => passing.down(number));
  for (const carrier of carriers) t.same(passing.put(mailboxes, carrier, "down"), { isNew: true, dropped: 0 });
  t.same(passing.put(mailboxes, carriers[1] as Uint8Array, "down"), { isNew: false, dropped: 0 });
  t.same(passing.seqs(mailboxes, "down"), [2, 3, 4]);
  t.same(
    mailboxes.items(edge.nodeId, "down", { epoch: 1, seq: 3 }, 9).map(({ carrier }) => carrier),
    [carriers[2]],
  );
  const before = mailboxes.totalBytes;
  for (const carrier of carriers.slice(0, 2)) edge.applyCarrier(carrier);
  passing.put(mailboxes, passing.up("acknowledges 2 and 3"), "up");
  t.same(passing.seqs(mailboxes, "down"), [4], "the edge's own signature is what shrinks it");
  t.ok(mailboxes.totalBytes < before + 4096);
  t.same(passing.put(mailboxes, carriers[0] as Uint8Array, "down"), { isNew: false, dropped: 0 }, "not needed any more");
  const [report] = edge.reports(null, { items: 1, bytes: plenty });
  passing.vault.ingest(report?.carrier as Uint8Array);
  passing.put(mailboxes, passing.down(4), "down");
  t.same(passing.seqs(mailboxes, "up"), [], "and the vault's for reports");
  t.match(mailboxes.head(edge.nodeId, "up"), { epoch: 1, seq: 1 });
});

t.test("the highest number there is, told as a head or signed by an edge, ends nothing", async (t) => {
  const passing = await Passing.make();
  const { nodeId } = passing.edge;
  const mailboxes = new Mailboxes(new MemoryStore(), plenty);
  const carrier = passing.up("a report");
  const highest = Number.MAX_SAFE_INTEGER;
  for (const epoch of [1, highest]) t.same(mailboxes.items(nodeId, "up", { epoch, seq: highest }, 9), []);
  const item = passing.verify(carrier, "up");
  mailboxes.put({ ...item, snapshot: true, place: { ...item.place, seq: highest } }, carrier);
  t.match(mailboxes.head(nodeId, "up"), { seq: highest });
  t.same(passing.seqs(mailboxes, "up"), [highest]);
});

t.test("only a verified snapshot drops what lies before it", async (t) => {
  const passing = await Passing.make();
  const { edge, vault } = passing;
  const mailboxes = new Mailboxes(new MemoryStore(), plenty);
  for (const number of [1, 2, 3]) passing.put(mailboxes, passing.down(number), "down");
  const late = passing.down(4);
  const snapshot = vault.snapshot(edge.nodeId, [application("all", 5)]);
  t.same(passing.put(mailboxes, snapshot, "down"), { isNew: true, dropped: 3 });
  t.same(passing.seqs(mailboxes, "down"), [6]);
  t.same(passing.put(mailboxes, late, "down"), { isNew: false, dropped: 0 }, "what comes late from before it is not kept");
  passing.put(mailboxes, passing.down(6), "down");
  t.same(passing.seqs(mailboxes, "down"), [6, 7]);
});

t.test("the head that senders are told stops before a gap and goes on when it is filled", async (t) => {
  const passing = await Passing.make();
  const { edge } = passing;
  const mailboxes = new Mailboxes(new MemoryStore(), plenty);
  const head = (): StreamHead | null => mailboxes.head(edge.nodeId, "down");
  t.equal(head(), null);
  const snapshot = passing.vault.snapshot(edge.nodeId, [application("all", 1)]);
  const [one, two, three] = [2, 3, 4].map((number) => passing.down(number)) as [Uint8Array, Uint8Array, Uint8Array];
  passing.put(mailboxes, snapshot, "down");
  t.equal(head()?.seq, 2);
  passing.put(mailboxes, one, "down");
  passing.put(mailboxes, three, "down");
  t.equal(head()?.seq, 3);
  passing.put(mailboxes, two, "down");
  t.equal(head()?.seq, 5);
});

t.test("what does not verify does not pass, and a second item of one number neither", async (t) => {
  const passing = await Passing.make();
  const { edge, vault } = passing;
  const other = await Passing.make();
  const good = passing.down(1);
  const parts = decodeCarrier(good);
  const flipped = parts.body.slice();
  flipped[9] = (flipped[9] ?? 0) ^ 1;
  const cases: [code: string, carrier: Uint8Array, way: Way][] = [
    ["BUNDLE_BODY_HASH", encodeCarrier({ ...parts, body: flipped }), "down"],
    ["BUNDLE_BODY_LENGTH", encodeCarrier({ ...parts, body: flipped.subarray(1) }), "down"],
    ["BUNDLE_SIGNER_UNKNOWN", other.down(1), "down"],
    ["BUNDLE_WRONG_DIRECTION", good, "up"],
    ["BUNDLE_WRONG_DIRECTION", passing.up("x"), "down"],
    ["CARRIER_MALFORMED", good.subarray(1), "down"],
  ];
  for (const [code, carrier, way] of cases) t.throws(() => passing.verify(carrier, way), { code }, code);
  const stranger = { way: "up", edge: random(20), trust: vault.trust, vaultMailbox: vault.mailbox } as const;
  t.throws(() => verifyPassing(passing.up("y"), stranger), { code: "GATEWAY_NOT_FOR_HERE" });

  const mailboxes = new Mailboxes(new MemoryStore(), plenty);
  const before = { ...vault.node(edge.nodeId) };
  const first = passing.down(2);
  Object.assign(vault.node(edge.nodeId), before);
  const second = passing.down(3);
  passing.put(mailboxes, first, "down");
  t.throws(() => passing.put(mailboxes, second, "down"), { code: "GATEWAY_ITEM_FORK" });
  t.equal(passing.seqs(mailboxes, "down").length, 1);
});

t.test("a mailbox is bounded in items and bytes, all of them together too, and room comes back", async (t) => {
  const passing = await Passing.make();
  const { edge, vault } = passing;
  const store = new MemoryStore();
  const fill = new Mailboxes(store, plenty);
  const item = passing.verify(passing.down(1), "down");
  const place = (seq: number) => ({ ...item, ack: null, place: { epoch: 1, seq, id: random(32) } });
  const small = new Uint8Array(10);
  for (let seq = 1; seq <= bundleLimits.unacknowledged; seq += 1) fill.put(place(seq), small);
  t.throws(() => fill.put(place(1025), small), { code: "GATEWAY_MAILBOX_FULL" });
  t.equal(fill.totalBytes, 10_240, "a refused item is not counted");
  t.equal(new Mailboxes(store, plenty).totalBytes, 10_240, "and the count comes back after a restart");
  fill.put({ ...place(2000), snapshot: true }, small);
  t.same(passing.seqs(fill, "down"), [2000]);

  const bytes = new Mailboxes(new MemoryStore(), plenty);
  const half = new Uint8Array(32 * 1024 * 1024);
  bytes.put(place(1), half);
  bytes.put(place(2), half.subarray(1));
  t.throws(() => bytes.put(place(3), new Uint8Array(2)), { code: "GATEWAY_MAILBOX_FULL" });
  bytes.put(place(4), new Uint8Array(1));

  const tight = new Mailboxes(new MemoryStore(), 100);
  tight.put({ ...place(1), edge: random(20) }, new Uint8Array(99));
  t.throws(() => tight.put(place(2), new Uint8Array(2)), { code: "GATEWAY_MAILBOX_FULL", retryable: true });
  tight.put(place(2), new Uint8Array(1));
  t.throws(() => tight.put(place(3), new Uint8Array(1)), { code: "GATEWAY_MAILBOX_FULL" });
  t.ok(vault.node(edge.nodeId));
});

t.test("what was stored is there after the process died, and the gateway cannot read it", async (t) => {
  const passing = await Passing.make();
  const { edge, vault } = passing;
  const folder = shortFolder(t);
  const key = new Secret(random(32));
  const open = (name: string): Store => {
    const paths = { path: join(folder, name, "node.db"), markPath: join(folder, name, "mark") };
    return openStore({ ...paths, key, random, failpoint: () => {} });
  };
  cpSync(shortFolder(t), join(folder, "live"), { recursive: true });
  const live = open("live");
  const mailboxes = new Mailboxes(live, plenty);
  const carrier = passing.down(1);
  passing.put(mailboxes, carrier, "down");
  live.transaction((tx) => tx.put("own", random(4), utf8("marker-of-its-own")));
  // A copy of the files as they lie, the process still running, is what a SIGKILL leaves.
  cpSync(join(folder, "live"), join(folder, "after"), { recursive: true });
  const after = open("after");
  const found = new Mailboxes(after, plenty);
  t.same(
    found.items(edge.nodeId, "down", null, 9).map((item) => item.carrier),
    [carrier],
  );

  const rows = ["mailbox", "mailbox-item", "own"].flatMap((table) => after.read((view) => view.scan(table, { limit: 99 })));
  const holds = (text: string) => rows.some(({ value }) => Buffer.from(value).includes(text));
  t.notOk(holds(marker), "even unsealed, its rows hold the edge's secret sealed");
  t.ok(holds("marker-of-its-own"), "and the search finds what is there");
  const receiver = startReceiver({ epoch: 1, rootVersion: 1, stateDigest: new Uint8Array(32), nonce: random(16) });
  const gateway = {
    direction: 0,
    trust: vault.trust,
    recipient: edge.nodeId,
    sealingKeys: [sealingKeyFromSeed(random(32))],
  } as const;
  const snapshot = vault.snapshot(edge.nodeId, [application("all", 2)]);
  const answering = { ...receiver, nonce: vault.node(edge.nodeId).sender.heardNonces[0] ?? receiver.nonce };
  t.throws(() => openBundle(snapshot, { ...gateway, receiver: answering }), { code: "BUNDLE_WRONG_KEY" });
  live.close();
  after.close();
});
