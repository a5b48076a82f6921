import t, { type Test } from "tap";
import { joinNode } from "../../agent/node/index.ts";
import { machineSeams } from "../../agent/seams/index.ts";
import type { RunningEdge } from "../../edge/index.ts";
import { asTuple, decodeTcbor, encodeTcbor } from "../../protocol/base/index.ts";
import { bundleLimits, startSender } from "../../protocol/bundle/index.ts";
import { decodeCarrier, decodeEnvelope, encodeCarrier, encodeEnvelope, signEnvelope } from "../../protocol/envelope/index.ts";
import { parseEnrolmentCode } from "../../protocol/join/index.ts";
import { type SigningKey, sealingKeyFromSeed, signingKeyFromSeed } from "../../protocol/keys/index.ts";
import { nodeRole } from "../../protocol/trust/index.ts";
import { answerJoin } from "../../vault/enrolment/index.ts";
import { EdgeWorld } from "../edge/edge-world.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { VaultRig } from "../vault/vault-rig.ts";

const { random } = machineSeams();

/** A joined, running edge whose gateway does with every carrier what it wants. */
async function running(t: Test): Promise<{ world: EdgeWorld; edge: RunningEdge }> {
  const world = new EdgeWorld(t);
  await world.listen();
  await world.join();
  const edge = await world.start();
  t.teardown(() => edge.close());
  await world.until(() => world.facts.some((fact) => fact.kind === "audit"));
  return { world, edge };
}

/** The next bundle that the vault issues: one more value in the pool. */
function next(world: EdgeWorld, number: number): Uint8Array {
  world.values.push([number, `value-${number}`, "pool"]);
  const carrier = world.vault.delta(world.nodeId, world.desired());
  if (carrier === null) throw new Error("nothing changed");
  return carrier;
}

/** Numbers of the pool's values that the edge holds. */
function pool(edge: RunningEdge): number[] {
  const views = edge.parts.node.withState((view) => [...view.credentials.values()].flat());
  return views
    .filter(({ content }) => content.role === "pool")
    .map(({ content }) => content.index.number)
    .sort((a, b) => a - b);
}

t.test("a replayed carrier changes nothing, however often and however late it comes", async (t) => {
  const { world, edge } = await running(t);
  const first = next(world, 1);
  await world.deliver(first);
  await world.deliver(next(world, 2));
  const before = edge.parts.node.status();
  t.same(pool(edge), [1, 2]);
  for (let times = 0; times < 3; times += 1) await world.deliver(first);
  t.same(edge.parts.node.status().appliedSeq, before.appliedSeq);
  t.same(pool(edge), [1, 2]);
  t.equal(edge.parts.node.mode, "NORMAL");
});

t.test("reordered carriers are held until the gap is filled, and applied in the vault's order", async (t) => {
  const { world, edge } = await running(t);
  const [first, second, third] = [next(world, 1), next(world, 2), next(world, 3)];
  await world.deliver(third);
  await world.deliver(second);
  t.same(pool(edge), []);
  t.equal(edge.parts.node.status().heldItems, 2);
  await world.deliver(first);
  t.same(pool(edge), [1, 2, 3]);
  t.equal(edge.parts.node.status().heldItems, 0);
});

t.test(
  "behind a dropped carrier later ones are held; when too many wait the edge asks for a snapshot, which mends it",
  async (t) => {
    const { world, edge } = await running(t);
    next(world, 1);
    for (let number = 2; number < bundleLimits.heldItems + 2; number += 1) {
      world.values = [[number, `value-${number}`, "pool"]];
      const carrier = world.vault.delta(world.nodeId, world.desired());
      await world.deliver(carrier ?? new Uint8Array(0));
    }
    t.equal(edge.parts.node.status().heldItems, bundleLimits.heldItems);
    t.notOk(world.vault.node(world.nodeId).sender.snapshotWanted);
    const over = next(world, 500);
    void world.deliver(over);
    await world.until(() => world.vault.node(world.nodeId).sender.snapshotWanted);
    t.equal(edge.parts.node.status().lastRefusal, "STREAM_HELD_FULL");
    t.same(pool(edge), [], "nothing was applied over the gap");
    const { dials } = world.network;
    await world.deliver(world.vault.snapshot(world.nodeId, world.desired()));
    t.same(
      pool(edge),
      world.values.map(([number]) => number),
    );
    t.equal(edge.parts.node.status().heldItems, 0);
    t.equal(world.network.dials, dials, "within the same session");
  },
);

t.test("a carrier that the gateway put together itself is refused with its code", async (t) => {
  const { world, edge } = await running(t);
  const [a, b] = [decodeCarrier(next(world, 1)), decodeCarrier(next(world, 2))];
  const { type, payload, signatures } = decodeEnvelope(a.envelope);
  const other = new EdgeWorld(t);
  await other.listen();
  await other.join();
  const flipped = payload.slice();
  flipped.set([(flipped.at(-1) ?? 0) ^ 1], flipped.length - 1);
  const cases: [string, Uint8Array, string][] = [
    ["the head of one on the body of another", encodeCarrier({ ...a, body: b.body }), "BUNDLE_BODY_HASH"],
    ["a body cut short", encodeCarrier({ ...a, body: a.body.subarray(1) }), "BUNDLE_BODY_LENGTH"],
    ["a changed head", encodeCarrier({ ...a, envelope: encodeEnvelope(type, flipped, signatures) }), "ENVELOPE_BAD_SIGNATURE"],
    [
      "a head signed by the gateway",
      encodeCarrier({ ...a, envelope: signEnvelope(type, payload, [signingKeyFromSeed(random(32))]) }),
      "BUNDLE_SIGNER_UNKNOWN",
    ],
    ["another vault's bundle", next(other, 1), "BUNDLE_SIGNER_UNKNOWN"],
  ];
  const before = edge.parts.node.status().appliedSeq;
  for (const [title, carrier, code] of cases) {
    await world.deliver(carrier);
    t.equal(edge.parts.node.status().lastRefusal, code, title);
  }
  t.equal(edge.parts.node.status().appliedSeq, before);
  await world.deliver(encodeCarrier(a));
  t.same(pool(edge), [1], "the true one still applies");
});

t.test("an old snapshot fed to a fresh edge is refused, and the edge does not join on it", async (t) => {
  const world = new EdgeWorld(t);
  await world.listen();
  const honest = world.answerJoin;
  world.answerJoin = (request) => {
    honest(request);
    // What the vault sealed to this very node before it asked: all is genuine but the answer to its nonce.
    const nodeId = decodeEnvelope(decodeCarrier(request).envelope).signatures[0]?.keyId ?? new Uint8Array(0);
    const { vault } = world;
    vault.node(nodeId).sender = startSender(1, [random(16)]);
    return vault.snapshot(nodeId, world.desired(), vault.statements());
  };
  await t.rejects(world.join(), { code: "NODE_JOIN_ANSWER", message: /STREAM_NONCE_REQUIRED/ });
});

t.test("an answer to another edge's request, and one without the statement about this edge, are refused", async (t) => {
  const world = new EdgeWorld(t);
  await world.listen();
  const honest = world.answerJoin;
  world.answerJoin = (request) => {
    const parts = decodeCarrier(honest(request));
    return encodeCarrier({ ...parts, statements: parts.statements.slice(0, 1) });
  };
  await t.rejects(world.join(), { code: "NODE_JOIN_ANSWER" });

  const { vault, seams } = world;
  const code = vault.enrol("edge-2", nodeRole.edge);
  let stolen = new Uint8Array(0);
  const exchange = async (request: Uint8Array) => {
    stolen = new Uint8Array(vault.answer(request, code));
    return stolen;
  };
  await joinNode({ store: new MemoryStore(), code, role: nodeRole.edge, seams, exchange });
  const third = vault.enrol("edge-3", nodeRole.edge);
  const feed = async () => stolen;
  const join = joinNode({ store: new MemoryStore(), code: third, role: nodeRole.edge, seams, exchange: feed });
  await t.rejects(join, { code: "NODE_JOIN_ANSWER" });
});

/** Places of the keys in a join request. */
const place = { signKey: 4, sealKey: 5 } as const;

/** A join request with other fields, under the old signature or signed anew. */
function forged(
  request: Uint8Array,
  changes: Partial<Record<keyof typeof place, Uint8Array>>,
  as: SigningKey | null,
): Uint8Array {
  const carrier = decodeCarrier(request);
  const { type, payload, signatures } = decodeEnvelope(carrier.envelope);
  const fields = asTuple(decodeTcbor(payload), "join", 12).slice();
  for (const name of ["signKey", "sealKey"] as const) fields[place[name]] = changes[name] ?? fields[place[name]] ?? null;
  const changed = encodeTcbor(fields);
  const envelope = as === null ? encodeEnvelope(type, changed, signatures) : signEnvelope(type, changed, [as]);
  return encodeCarrier({ ...carrier, envelope });
}

t.test("a gateway that swaps keys in a join is refused by the vault, and the true request still joins", async (t) => {
  const rig = await VaultRig.make(t);
  const enrolment = { name: "edge-1", role: "edge", zone: "plant", address: "gateway.test:7444" };
  const code = parseEnrolmentCode(String((await rig.call("POST", "/v1/codes", enrolment))["code"]));
  const own = signingKeyFromSeed(random(32));
  const sealKey = sealingKeyFromSeed(random(32)).publicKey;
  const exchange = async (request: Uint8Array) => {
    const swapped = forged(request, { sealKey }, null);
    await t.rejects(answerJoin(rig.core, swapped), { code: "JOIN_MAC" }, "the sealing key");
    const resigned = forged(request, { sealKey, signKey: own.publicKey }, own);
    await t.rejects(answerJoin(rig.core, resigned), { code: "JOIN_MAC" }, "both keys, signed by the gateway");
    const taken = forged(request, { signKey: own.publicKey }, own);
    await t.rejects(answerJoin(rig.core, taken), { code: "JOIN_MAC" }, "the signing key");
    return (await answerJoin(rig.core, request)).carrier;
  };
  const { seams } = rig;
  const member = await joinNode({ store: new MemoryStore(), code, role: nodeRole.edge, seams, exchange });
  t.equal(member.name, "edge-1");
  t.notSame(member.sealKey, sealKey);
});
