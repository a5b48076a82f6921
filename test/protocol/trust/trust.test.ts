import t from "tap";
import { toHex } from "../../../protocol/base/index.ts";
import { decodeEnvelope, type EnvelopeSignature, encodeEnvelope } from "../../../protocol/envelope/index.ts";
import {
  applyStatements,
  bundleSignerOf,
  decodeTrust,
  encodeRoot,
  encodeTrust,
  memberOf,
  newestRoot,
  type RevokedNode,
  type RootDocument,
  rootsAbove,
  signMember,
  signRevoked,
  signRoot,
  startTrust,
  type TrustState,
  vaultIdOf,
} from "../../../protocol/trust/index.ts";
import {
  sampleMember,
  sampleRoot,
  sampleSigner,
  sampleTrust,
  sampleVaultId,
  signedMember,
  signedRevoked,
} from "../sample-vault.ts";

const nodeId = sampleMember().nodeId;

/** Root `version` of the sample vault, signed by root key 1. */
function rootOf(version: number, changes: Partial<RootDocument> = {}): Uint8Array {
  const vaultId = version === 1 ? null : sampleVaultId();
  return signRoot(sampleRoot({ version, vaultId, ...changes }), [sampleSigner(1)]);
}

t.test("a node that slept through forty roots catches up, thirty-two at a time", async (t) => {
  const roots = Array.from({ length: 41 }, (_, index) => rootOf(index + 1, { vaultEpoch: index + 1 }));
  const start = startTrust(roots.slice(0, 1), { version: 1, id: sampleVaultId() });
  t.throws(() => applyStatements(start, roots.slice(1, 34)), { code: "TRUST_TOO_MANY" }, "33 at once");
  const first = applyStatements(start, roots.slice(1, 33).reverse());
  t.equal(newestRoot(first.state).document.version, 33);
  t.same(
    first.changes.map((change) => change.kind === "root" && change.version),
    Array.from({ length: 32 }, (_, index) => index + 2),
    "strictly in order",
  );
  const { state } = applyStatements(first.state, roots.slice(33));
  t.equal(newestRoot(state).document.vaultEpoch, 41);
  t.same(rootsAbove(state, 39, 10), roots.slice(39));
  t.equal(rootsAbove(state, 0, 32).length, 32);
  t.same(vaultIdOf(state), sampleVaultId());
});

t.test("statements are at most sixty-four, and none of them counts where one is refused", async (t) => {
  const state = sampleTrust();
  t.doesNotThrow(() => applyStatements(state, Array(64).fill(signedMember())));
  t.throws(() => applyStatements(state, Array(65).fill(signedMember())), { code: "TRUST_TOO_MANY" });
  const strangers = signMember(sampleMember(), sampleSigner(99));
  t.throws(() => applyStatements(state, [rootOf(2), strangers]), { code: "TRUST_SIGNER" });
  t.equal(newestRoot(state).document.version, 1, "the value that went in is as it was");
});

t.test("signatures count by distinct public key, whatever the envelope claims", async (t) => {
  const twoOfThree = { rootKeys: [1, 2, 3].map((byte) => sampleSigner(byte).publicKey), threshold: 2 };
  const document = sampleRoot(twoOfThree);
  const one = decodeEnvelope(signRoot(document, [sampleSigner(1)])).signatures[0] as EnvelopeSignature;
  const pin = { version: 1, id: decodeEnvelope(signRoot(document, [sampleSigner(1)])).id };
  const invented = { keyId: new Uint8Array(20), signature: one.signature };
  const twice = encodeEnvelope("root", encodeRoot(document), [one, invented]);
  t.throws(() => startTrust([twice], pin), { code: "TRUST_ROOT_SIGNATURES" }, "one signature under a second id");
  const borrowed = { keyId: sampleSigner(2).keyId, signature: one.signature };
  const underOther = encodeEnvelope("root", encodeRoot(document), [one, borrowed]);
  t.throws(() => startTrust([underOther], pin), { code: "TRUST_ROOT_SIGNATURES" }, "one signature under another key's id");
  t.doesNotThrow(() => startTrust([signRoot(document, [sampleSigner(3), sampleSigner(2)])], pin));
});

t.test("every bit of a root's payload is under its signatures", async (t) => {
  const root = decodeEnvelope(rootOf(2));
  const state = sampleTrust();
  const taken: number[] = [];
  // The keys inside are long: one bit of each byte, and all of the first 200 bytes.
  for (let bit = 0; bit < root.payload.length * 8; bit += bit < 1600 ? 1 : 8) {
    const payload = root.payload.slice();
    payload[bit >> 3] = (payload[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    try {
      if (applyStatements(state, [encodeEnvelope("root", payload, root.signatures)]).changes.length > 0) taken.push(bit);
    } catch (error) {
      const { code } = error as { code?: string };
      if (!code?.match(/^(TRUST|KEY|ENVELOPE)_/)) t.fail(`bit ${bit}: ${String(error)}`);
    }
  }
  t.same(taken, []);
});

t.test("trust never goes down", async (t) => {
  let state = applyStatements(sampleTrust(), [signedMember({ serial: 5 }), signedRevoked(5, [])]).state;
  const before = encodeTrust(state);
  const old = [signedMember({ serial: 4, name: "old" }), signedRevoked(4, [{ nodeId, serial: 9 }]), rootOf(1)];
  const applied = applyStatements(state, old);
  t.same(applied.changes, []);
  t.same(encodeTrust(applied.state), before);
  state = applyStatements(state, [signedRevoked(6, [{ nodeId, serial: 5 }])]).state;
  t.throws(() => memberOf(state, nodeId), { code: "TRUST_REVOKED" });
  t.equal(memberOf(applyStatements(state, [signedMember({ serial: 6 })]).state, nodeId).serial, 6, "enrolled again");
});

t.test("a statement by a retired signer stands only until it is signed anew", async (t) => {
  const held = applyStatements(sampleTrust(), [signedMember()]).state;
  const retired = applyStatements(held, [rootOf(2, { bundleSigners: [sampleSigner(12).publicKey] })]).state;
  t.throws(() => memberOf(retired, nodeId), { code: "TRUST_SIGNER" });
  t.throws(() => bundleSignerOf(retired, sampleSigner(11).keyId), { code: "TRUST_SIGNER" });
  const { state, changes } = applyStatements(retired, [signMember(sampleMember(), sampleSigner(12))]);
  t.equal(memberOf(state, nodeId).serial, 1);
  t.match(changes, [{ kind: "member", serial: 1 }]);
  t.same(applyStatements(state, [signedMember()]).changes, [], "the old signature does not come back");
});

t.test("a revoked list holds up to five hundred nodes", async (t) => {
  const nodes = (count: number): RevokedNode[] =>
    Array.from({ length: count }, (_, index) => {
      const id = new Uint8Array(20).fill(0xff);
      new DataView(id.buffer).setUint16(0, index);
      return { nodeId: id, serial: Number.MAX_SAFE_INTEGER };
    });
  for (const count of [499, 500]) {
    const { state } = applyStatements(sampleTrust(), [signedRevoked(1, nodes(count))]);
    t.equal(state.revoked?.list.nodes.length, count);
  }
  t.throws(() => signRevoked({ vaultId: sampleVaultId(), version: 1, nodes: nodes(501) }, sampleSigner(11)), {
    name: "AssertionError",
  });
});

t.test("ten thousand members are held and not one more", async (t) => {
  const one = applyStatements(sampleTrust(), [signedMember()]).state;
  const held = one.members.get(toHex(nodeId));
  t.ok(held);
  if (held === undefined) return;
  const full = (count: number): TrustState => ({
    ...sampleTrust(),
    members: new Map(Array.from({ length: count }, (_, index) => [`node ${index}`, held])),
  });
  t.equal(applyStatements(full(9_999), [signedMember()]).state.members.size, 10_000);
  t.throws(() => applyStatements(full(10_000), [signedMember()]), { code: "TRUST_TOO_MANY" });
});

t.test("a trust state is stored and read back whole, and damage is told", async (t) => {
  const { state } = applyStatements(sampleTrust(), [rootOf(2), signedMember(), signedRevoked(3, [{ nodeId, serial: 0 }])]);
  const bytes = encodeTrust(state);
  const again = decodeTrust(bytes);
  t.same(encodeTrust(again), bytes);
  t.same(memberOf(again, nodeId), memberOf(state, nodeId));
  t.equal(again.revoked?.list.version, 3);
  t.same(applyStatements(again, [rootOf(2), signedMember()]).changes, []);
  for (const damaged of [bytes.subarray(0, -1), bytes.subarray(1), new Uint8Array(0)]) {
    t.throws(() => decodeTrust(damaged), { code: "TRUST_DAMAGED" });
  }
});
