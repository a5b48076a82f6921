import t, { type Test } from "tap";
import { judgeFreshness } from "../../agent/local-api/freshness.ts";
import { nodeHealth, vaultSilentS } from "../../agent/node/index.ts";
import { hearNonce } from "../../agent/node/own-nonce.ts";
import { TidegateError } from "../../protocol/base/index.ts";
import { bundleLimits, startReceiver } from "../../protocol/bundle/index.ts";
import { application, joined, type Rig } from "./node-rig.ts";

const hourMs = 3_600_000;
const staleAfterS = 86_400;

/** A node whose report the vault has taken and answered, so that nothing is open. */
class Line {
  readonly rig: Rig;
  #number = 0;

  constructor(rig: Rig) {
    this.rig = rig;
  }

  static async make(t: Test): Promise<Line> {
    const line = new Line(await joined(t));
    line.rig.report();
    line.down();
    return line;
  }

  /** Time passes, at the node and at the vault; what the node seals meanwhile goes nowhere. */
  async pass(ms: number): Promise<void> {
    await this.rig.clock.advance(ms);
    this.rig.vault.nowS += ms / 1000;
  }

  /** The vault changes something, and the node applies it. */
  down(): void {
    this.#number += 1;
    const { vault, node } = this.rig;
    const change = vault.delta(node.nodeId, [application(`a${this.#number}`, this.#number)]);
    t.match(change === null ? null : node.applyCarrier(change), { outcome: "applied" });
  }

  /** Seals a report, and takes it along without handing it over. */
  seal(): Uint8Array[] {
    const { node, vault } = this.rig;
    node.flushReport();
    const after = vault.node(node.nodeId).receiver.head;
    return node.reports(after, { items: 1000, bytes: 1e9 }).map(({ carrier }) => carrier);
  }

  get heardS(): number {
    return (this.rig.node.vaultLastHeardAtMs ?? 0) / 1000;
  }

  relay(way: "both" | "down" = "both"): boolean | undefined {
    const { opened, store, node } = this.rig;
    if (opened === null) throw new Error("not open");
    const hop = { to: "gateway", status: () => null, nowMs: () => 0 } as const;
    const { checks } = nodeHealth({ node, audit: opened.audit, store, staleAfterS, way, hop });
    return checks.find(({ name }) => name === "relay")?.ok;
  }

  /** What a read gets where the vault may be silent for a day at most. */
  read(rule: "ttl" | "stale"): string {
    const heardAt = new Date(this.heardS * 1000).toISOString();
    const [ttlS, deny] = rule === "ttl" ? [staleAfterS, null] : [null, staleAfterS];
    try {
      const freshness = { staleAfterS: deny, whenStale: "deny", ttlS, memoryOnly: false } as const;
      return judgeFreshness(freshness, heardAt, this.rig.node.interval());
    } catch (error) {
      if (error instanceof TidegateError) return error.code;
      throw error;
    }
  }
}

t.test(
  "a node whose words no longer arrive goes stale, though the vault's bundles come and repeat its old answers",
  async (t) => {
    const line = await Line.make(t);
    const { heardS } = line;
    for (let hour = 0; hour < 23; hour += 1) {
      await line.pass(hourMs);
      line.down();
    }
    t.equal(line.heardS, heardS, "no answer was a new one");
    t.same([line.relay(), line.read("ttl"), line.read("stale")], [true, "fresh", "fresh"], "within the limit");
    await line.pass(2 * hourMs);
    line.down();
    t.same([line.relay(), line.read("ttl"), line.read("stale")], [false, "API_EXPIRED", "API_STALE"]);
    t.equal(line.relay("down"), true, "where nothing can arrive the vault's words are all there is");
    t.ok((vaultSilentS(line.rig.node, "down") ?? staleAfterS) < 3600);
    line.rig.report();
    line.down();
    t.same([line.heardS, line.relay()], [line.rig.vault.nowS, true], "and is heard with the first report that arrives");
  },
);

t.test("one nonce counts once, over a crash too, and a replayed bundle renews nothing", async (t) => {
  const line = await Line.make(t);
  const { vault } = line.rig;
  line.rig.report();
  await line.pass(hourMs);
  const change = vault.delta(line.rig.node.nodeId, [application("b", 99)]) as Uint8Array;
  t.match(line.rig.node.applyCarrier(change), { outcome: "applied" });
  const heardS = vault.nowS;
  t.equal(line.heardS, heardS);
  await line.pass(hourMs);
  t.match(line.rig.node.applyCarrier(change), { outcome: "duplicate" });
  line.rig.crash();
  t.match(line.rig.node.applyCarrier(vault.snapshot(line.rig.node.nodeId, [application("c", 100)])), { outcome: "applied" });
  t.equal(line.heardS, heardS, "a nonce that was answered is past now, and answered still");
});

t.test("an answer that took the long way counts, once, and never for later than its nonce was in use", async (t) => {
  const line = await Line.make(t);
  const first = line.seal();
  await line.pass(hourMs);
  const restartS = line.rig.vault.nowS;
  line.rig.crash();
  const second = line.seal().slice(first.length);
  await line.pass(10 * hourMs);
  line.rig.crash();
  for (const carrier of first) line.rig.vault.ingest(carrier);
  line.down();
  t.ok(
    Math.abs(line.heardS - restartS) <= 2,
    "held back for ten hours, it says when the node spoke, not when it was let through",
  );
  const { heardS } = line;
  await line.pass(hourMs);
  line.down();
  t.equal(line.heardS, heardS);
  for (const carrier of second) line.rig.vault.ingest(carrier);
  line.down();
  t.ok(line.heardS > heardS && line.heardS < line.rig.vault.nowS, "the nonce after it is open still");
  for (const carrier of first) line.rig.vault.ingest(carrier);
  const last = line.heardS;
  line.down();
  t.equal(line.heardS, last, "the older one is not");
});

t.test("a nonce stays open for 64 starts", async (t) => {
  const { pastNonces } = bundleLimits;
  for (const starts of [pastNonces - 1, pastNonces, pastNonces + 1]) {
    const line = await Line.make(t);
    const { heardS } = line;
    const sealed = line.seal();
    await line.pass(hourMs);
    for (let i = 0; i < starts; i += 1) line.rig.crash();
    for (const carrier of sealed) line.rig.vault.ingest(carrier);
    line.down();
    t.equal(line.heardS > heardS, starts <= pastNonces, `${starts}`);
  }
});

type Hear = typeof hearNonce;
const [n1, n2, n3, n4] = [1, 2, 3, 4].map((byte) => new Uint8Array(16).fill(byte)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
];

/** When a node counts as heard by headers of 1,000 s on. It asks with n4; it asked with n3 till 300 s, with n2 till 200 s, with n1 till 100 s. */
function heardBy(hear: Hear, headers: readonly (readonly Uint8Array[])[]): (number | null)[] {
  const receiver = startReceiver({ epoch: 1, rootVersion: 1, stateDigest: new Uint8Array(32), nonce: n4 });
  const draft: Parameters<Hear>[0] = {
    receiver: { ...receiver, pastNonces: [n3, n2, n1] },
    nonce: { bootId: "a", sinceBootMs: 0, answered: false, openUntilMs: [300_000, 200_000, 100_000] },
  };
  return headers.map((answers, i) => hear(draft, { answers, issuedAt: { lo: 1000 + i, hi: null } }).heardAtMs);
}

const planted: [bug: string, hear: Hear][] = [
  ["an answer counts again each time it is repeated", (draft, header) => hearNonce({ ...draft }, header)],
  [
    "an answer to a past nonce counts as of its own time",
    (draft, header) => {
      const heard = hearNonce(draft, header);
      return heard.heardAtMs === null ? heard : { ...heard, heardAtMs: header.issuedAt.lo * 1000 };
    },
  ],
  [
    "an answer to the current nonce leaves older ones open",
    (draft, header) => {
      const { openUntilMs } = draft.nonce;
      const heard = hearNonce(draft, header);
      if (heard.current) draft.nonce = { ...draft.nonce, openUntilMs };
      return heard;
    },
  ],
  [
    "only the current nonce counts",
    (draft, header) => hearNonce({ ...draft, receiver: { ...draft.receiver, pastNonces: [] } }, header),
  ],
];

t.test("each planted bug in what counts as heard is caught", async (t) => {
  const late = [[], [n2, n1], [n2, n1], [n1], [n3, n2], [n4, n3], [n4, n3], [n3], [n1]];
  const early = [[n4], [n3], [n2]];
  const due = [
    [null, 200_000, null, null, 300_000, 1_005_000, null, null, null],
    [1_000_000, null, null],
  ];
  const found = (hear: Hear) => [heardBy(hear, late), heardBy(hear, early)];
  t.same(found(hearNonce), due);
  for (const [bug, hear] of planted) t.notSame(found(hear), due, bug);
});
