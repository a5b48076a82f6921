import t from "tap";
import { identityOf, newIdentitySeeds } from "../../agent/identity/index.ts";
import { machineSeams } from "../../agent/seams/index.ts";
import { JoinForward } from "../../gateway/join-forward.ts";
import { gatewayLimits } from "../../gateway/limits.ts";
import { decodeCarrier, decodeEnvelope, encodeCarrier, encodeEnvelope, signEnvelope } from "../../protocol/envelope/index.ts";
import { makeJoinRequest } from "../../protocol/join/index.ts";
import { signingKeyFromSeed } from "../../protocol/keys/index.ts";
import { nodeRole } from "../../protocol/trust/index.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { PaperVault } from "../support/paper-vault.ts";

const { random } = machineSeams();
const code = new PaperVault().enrol("edge-1", nodeRole.edge);
const shared = identityOf(newIdentitySeeds(random));

function request(): { nodeId: Uint8Array; carrier: Uint8Array } {
  const signing = signingKeyFromSeed(random(32));
  const envelope = makeJoinRequest({
    code,
    signing,
    sealKey: shared.sealing.publicKey,
    tlsKeyHash: shared.tls.spkiHash,
    logKey: shared.log.publicKey,
    epochKey: shared.signing.publicKey,
    nonce: random(16),
    replaces: null,
  });
  return { nodeId: signing.keyId, carrier: encodeCarrier({ statements: [], envelope, body: new Uint8Array(0) }) };
}

function forward() {
  const clock = new ManualClock();
  let wakes = 0;
  const wake = () => {
    wakes += 1;
  };
  return { clock, joins: new JoinForward({ timers: clock, vaultMailbox: random(20), wake }), wakes: () => wakes };
}

t.test("a request goes to the vault as it is, and what comes for its node is the answer", async (t) => {
  const { joins, wakes } = forward();
  const { nodeId, carrier } = request();
  const answer = joins.ask(carrier);
  t.equal(wakes(), 1);
  t.same(
    joins.items.map((item) => item.carrier),
    [carrier],
  );
  joins.arrived(random(20), random(5));
  joins.arrived(nodeId, Uint8Array.of(1));
  t.same(await answer, { carrier: Uint8Array.of(1) });
  t.same(joins.items, []);
});

t.test("an answer that does not come, a refusal and the end of the gateway each have their code", async (t) => {
  const { joins, clock } = forward();
  const late = joins.ask(request().carrier);
  await clock.advance(gatewayLimits.joinMs - 1);
  t.equal(joins.items.length, 1);
  await clock.advance(1);
  t.same(await late, { refuse: "GATEWAY_JOIN_TIMEOUT" });

  const refused = joins.ask(request().carrier);
  const [item] = joins.items;
  if (item === undefined) throw new Error("no item");
  joins.settled(item, "full");
  joins.settled(item, "stored");
  t.equal(joins.items.length, 1, "stored is no answer yet");
  joins.settled(item, "refused");
  t.same(await refused, { refuse: "GATEWAY_JOIN_REFUSED" });

  const cut = joins.ask(request().carrier);
  joins.close();
  t.same(await cut, { refuse: "GATEWAY_JOIN_TIMEOUT" });
});

t.test("a refused request that comes again is refused at once, until the vault may judge it anew", async (t) => {
  const { joins } = forward();
  const { carrier } = request();
  const first = joins.ask(carrier);
  const [item] = joins.items;
  if (item === undefined) throw new Error("no item");
  joins.settled(item, "refused");
  await first;
  t.same(await joins.ask(carrier), { refuse: "GATEWAY_JOIN_REFUSED" });
  t.same(joins.items, [], "the courier would not offer it again");
  joins.sessionBegan();
  const again = joins.ask(carrier);
  t.same(
    joins.items.map(({ id }) => id),
    [item.id],
  );
  joins.settled(item, "refused");
  t.same(await again, { refuse: "GATEWAY_JOIN_REFUSED" });
});

t.test("joins are bounded, one a node, and only join requests pass", async (t) => {
  const { joins } = forward();
  const { nodeId, carrier } = request();
  const first = joins.ask(carrier);
  const again = joins.ask(carrier);
  t.same(await first, { refuse: "GATEWAY_JOIN_BUSY" }, "the newer connection has it");
  for (let count = 2; count <= gatewayLimits.joins; count += 1) void joins.ask(request().carrier);
  t.equal(joins.items.length, gatewayLimits.joins);
  t.same(await joins.ask(request().carrier), { refuse: "GATEWAY_JOIN_BUSY" });
  const newest = joins.ask(carrier);
  t.same(await again, { refuse: "GATEWAY_JOIN_BUSY" }, "also where all places are taken: it has one");
  joins.arrived(nodeId, Uint8Array.of(2));
  t.same(await newest, { carrier: Uint8Array.of(2) });
  void joins.ask(request().carrier);
  t.equal(joins.items.length, gatewayLimits.joins);
  joins.close();

  const waiting = joins.ask(carrier);
  const claimed = decodeEnvelope(decodeCarrier(request().carrier).envelope);
  const [{ signature = new Uint8Array(64) } = {}] = claimed.signatures;
  const forged = encodeEnvelope("join", claimed.payload, [{ keyId: nodeId, signature }]);
  t.throws(() => joins.ask(encodeCarrier({ statements: [], envelope: forged, body: new Uint8Array(0) })), {
    code: "ENVELOPE_BAD_SIGNATURE",
  });
  joins.arrived(nodeId, Uint8Array.of(3));
  t.same(await waiting, { carrier: Uint8Array.of(3) }, "nobody takes the place of one whose key he has not");

  const envelope = signEnvelope("report", random(8), [signingKeyFromSeed(random(32))]);
  const report = encodeCarrier({ statements: [], envelope, body: new Uint8Array(0) });
  t.throws(() => joins.ask(report), { code: "ENVELOPE_TYPE" });
  t.throws(() => joins.ask(random(9)), { code: "CARRIER_MALFORMED" });
});
