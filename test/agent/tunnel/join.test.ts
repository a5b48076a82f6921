import t from "tap";
import {
  type JoinHandler,
  joinPath,
  LinkError,
  listenTunnel,
  requestJoin,
  type TunnelListener,
} from "../../../agent/tunnel/index.ts";
import { joinMs, joinReadMs, joinWaitMs, maxJoins, maxJoinsPerAddress, unknownPeerMs } from "../../../agent/tunnel/limits.ts";
import { encodeTcbor, type Tcbor, utf8 } from "../../../protocol/base/index.ts";
import { ManualClock, settled } from "../../support/manual-clock.ts";
import { memoryNetwork } from "../../support/memory-network.ts";
import { TunnelWorld } from "../../support/tunnel-members.ts";
import { RigNode } from "./rig.ts";

const world = new TunnelWorld();
const vault = world.node(40, { role: 0 });
const carrier = utf8("join request");

class Rig {
  readonly network = memoryNetwork();
  readonly clock = new ManualClock();
  readonly node = new RigNode({ member: vault, state: world.state, clock: this.clock, seed: "vault" });
  listener: TunnelListener | null = null;

  async listen(onJoin?: JoinHandler): Promise<this> {
    const { node, network } = this;
    const options = { node, address: "10.0.0.1:7443", admit: () => true, report: node.report };
    const listen = network.listen(vault.tlsKeyHash);
    this.listener = await listenTunnel(onJoin === undefined ? { ...options, listen } : { ...options, listen, onJoin });
    return this;
  }

  join(signal?: AbortSignal): Promise<Uint8Array> {
    const options = { address: "10.0.0.1:7443", carrier, dial: this.network.dial(null), seams: { timers: this.clock } };
    return requestJoin(signal === undefined ? options : { ...options, signal });
  }

  /** Sends raw messages on a join connection; the reason of its end. */
  async raw(...messages: Uint8Array[]): Promise<string[]> {
    const answers: string[] = [];
    const target = { address: { host: "10.0.0.1", port: 7443 }, path: joinPath, maxMessageBytes: 1_000 } as const;
    const stream = await this.network.dial(null)(target, new AbortController().signal);
    stream.start({ message: (bytes) => answers.push(Buffer.from(bytes).toString("latin1")), drained() {}, closed() {} });
    for (const message of messages) stream.send(message);
    await settled();
    stream.close(0);
    return answers;
  }

  get codes(): string[] {
    return this.node.events.flatMap((event) => (event.name === "join.refused" ? [event.code] : []));
  }
}

/** A handler whose answers the test gives. */
function pending(): { onJoin: JoinHandler; answers: ((answer: { carrier: Uint8Array } | { refuse: string }) => void)[] } {
  const answers: ((answer: { carrier: Uint8Array } | { refuse: string }) => void)[] = [];
  return { answers, onJoin: () => new Promise((resolve) => answers.push(resolve)) };
}

t.test("a join waits for its answer for minutes, and the connection is told so", async (t) => {
  const { onJoin, answers } = pending();
  const rig = await new Rig().listen(onJoin);
  let waits = 0;
  rig.network.tamper = (message, way) => {
    if (way === "to-dialler") waits += 1;
    return [message];
  };
  const joined = rig.join();
  await rig.clock.advance(joinMs - 1_000);
  t.equal(waits, Math.floor((joinMs - 1_000) / joinWaitMs));
  answers[0]?.({ carrier: utf8("welcome") });
  t.same(await joined, utf8("welcome"));
  await settled();
  t.same([rig.clock.pending, rig.network.connections], [0, 0]);
  await rig.listener?.close();
});

t.test("a join that nobody answers ends in time, on both sides", async (t) => {
  const rig = await new Rig().listen(pending().onJoin);
  const joined = rig.join();
  joined.catch(() => {});
  await rig.clock.advance(joinMs + 1);
  await t.rejects(joined, { code: /LINK_JOIN_(TIMEOUT|REFUSED)/ });
  await rig.clock.advance(joinReadMs);
  t.same([rig.clock.pending, rig.network.connections], [0, 0]);
  await rig.listener?.close();
});

t.test("who connects and asks nothing loses the place soon", async (t) => {
  const rig = await new Rig().listen(pending().onJoin);
  const target = { address: { host: "10.0.0.1", port: 7443 }, path: joinPath, maxMessageBytes: 1_000 } as const;
  const stream = await rig.network.dial(null)(target, new AbortController().signal);
  stream.start({ message() {}, drained() {}, closed() {} });
  await rig.clock.advance(unknownPeerMs - 1);
  t.same(rig.codes, []);
  await rig.clock.advance(1);
  t.same(rig.codes, ["LINK_JOIN_TIMEOUT"]);
  await rig.clock.advance(joinReadMs);
  t.same([rig.clock.pending, rig.network.connections], [0, 0]);
  await rig.listener?.close();
});

t.test("a silent server is given up, a cut is told, an abort ends the wait", async (t) => {
  const rig = await new Rig().listen(pending().onJoin);
  const silent = rig.join();
  await settled();
  rig.network.silent = true;
  silent.catch(() => {});
  await rig.clock.advance(3 * joinWaitMs + 1);
  await t.rejects(silent, { code: "LINK_JOIN_TIMEOUT" });
  rig.network.silent = false;
  const cut = rig.join();
  await settled();
  rig.network.cutAll();
  await t.rejects(cut, { code: "LINK_JOIN_CUT" });
  const abort = new AbortController();
  const aborted = rig.join(abort.signal);
  await settled();
  abort.abort();
  await t.rejects(aborted, { code: "LINK_JOIN_CUT" });
  await t.rejects(rig.join(abort.signal), { code: "LINK_UNREACHABLE" });
  await rig.listener?.close();
  await settled();
  t.equal(rig.clock.pending, 0);
});

t.test("refusals: by the handler, by what it throws, by a node without joins, by one that closes", async (t) => {
  const refusing = await new Rig().listen(async () => ({ refuse: "JOIN_CODE_SPENT" }));
  await t.rejects(refusing.join(), { code: "LINK_JOIN_REFUSED", refusal: "JOIN_CODE_SPENT" });
  const throwing = await new Rig().listen(async () => {
    throw new LinkError("LINK_UNREACHABLE", "the vault is away");
  });
  await t.rejects(throwing.join(), { code: "LINK_JOIN_REFUSED", refusal: "LINK_UNREACHABLE" });
  const closed = await new Rig().listen();
  await t.rejects(closed.join(), { code: "LINK_JOIN_REFUSED", refusal: "LINK_JOIN_CLOSED" });
  const closing = await new Rig().listen(pending().onJoin);
  const joined = closing.join();
  await settled();
  const done = closing.listener?.close();
  await t.rejects(joined, { code: "LINK_JOIN_REFUSED", refusal: "LINK_JOIN_CLOSED" });
  await done;
  for (const rig of [refusing, throwing, closed, closing]) {
    await rig.listener?.close();
    await settled();
    t.equal(rig.clock.pending, 0);
  }
});

t.test("joins that wait are bounded, from one address and in all", async (t) => {
  t.ok(maxJoinsPerAddress < maxJoins);
  const { onJoin, answers } = pending();
  const rig = await new Rig().listen(onJoin);
  const joins = Array.from({ length: maxJoinsPerAddress }, () => rig.join());
  await settled();
  await t.rejects(rig.join(), { code: "LINK_JOIN_REFUSED", refusal: "LINK_JOIN_BUSY" });
  t.equal(answers.length, maxJoinsPerAddress);
  answers[0]?.({ carrier });
  await joins[0];
  await settled();
  const next = rig.join();
  await settled();
  for (const answer of answers) answer({ carrier });
  t.same(await next, carrier, "a place is free again");
  await Promise.all(joins);
  await rig.listener?.close();
});

t.test("what is no join message, or a second request, is refused", async (t) => {
  const messages: Record<string, Tcbor> = {
    "not an array": "x",
    "other magic": ["tidegate-join/2", 0, carrier],
    "no such kind": ["tidegate-join/1", 4, carrier],
    "an answer": ["tidegate-join/1", 1, carrier],
    "a refusal": ["tidegate-join/1", 2, "CODE"],
    "a refusal that is no code": ["tidegate-join/1", 2, "no code"],
    "a request without carrier": ["tidegate-join/1", 0, null],
    "a wait with a load": ["tidegate-join/1", 3, carrier],
  };
  for (const [name, message] of Object.entries(messages)) {
    const rig = await new Rig().listen(pending().onJoin);
    await rig.raw(encodeTcbor(message));
    t.same(rig.codes, ["LINK_JOIN_MALFORMED"], name);
    await rig.listener?.close();
  }
  const twice = await new Rig().listen(pending().onJoin);
  const request = encodeTcbor(["tidegate-join/1", 0, carrier]);
  await twice.raw(request, request);
  t.same(twice.codes, ["LINK_JOIN_MALFORMED"]);
  await twice.listener?.close();
  const rubbish = await new Rig().listen(async () => ({ carrier }));
  rubbish.network.tamper = (message, way) => (way === "to-dialler" ? [utf8("rubbish")] : [message]);
  await t.rejects(rubbish.join(), { code: "LINK_JOIN_MALFORMED" });
  await rubbish.listener?.close();
});
