import t from "tap";
import { decodeTcbor, type Tcbor } from "../../../protocol/base/index.ts";
import {
  buildBundle,
  decodeHeader,
  direction,
  emptyBody,
  emptyDigest,
  encodeContext,
  encodeHeader,
  entryMap,
  openBundle,
  stateDigest,
} from "../../../protocol/bundle/index.ts";
import { decodeCarrier, decodeEnvelope, encodeCarrier } from "../../../protocol/envelope/index.ts";
import { openEscrow, sealEscrow } from "../../../protocol/seal/index.ts";
import { applyStatements, type TrustState } from "../../../protocol/trust/index.ts";
import { sampleRecipient, sampleSealer, sampleSigner, sampleTrust, signedMember, signedRevoked } from "../sample-vault.ts";
import { entryA, type Forgery, forge, open, snapshot, snapshotWithBase, withKey } from "./forge.ts";
import {
  EdgeEnd,
  edge as edgeKeys,
  sampleContext,
  secondRoot,
  secondTrust,
  VaultEnd,
  vault as vaultKeys,
  wanted,
} from "./rig.ts";

t.test("what is built opens and applies, both ways", async (t) => {
  const edge = new EdgeEnd();
  t.equal(edge.take(new VaultEnd().issue([wanted(1, 1), wanted(2, 1)]).carrier), "apply");
  t.same(edge.values(), ["value 1.1", "value 2.1"]);

  const trust = applyStatements(sampleTrust(), [signedMember()]).state;
  const vault = new VaultEnd();
  const proof = { serial: 1, from: 3, hashes: [new Uint8Array(32).fill(4)] };
  const facts = [{ type: 1, payload: Uint8Array.of(0x80) }];
  const parts = { facts, consistencyProof: proof, capabilities: ["modbus", "snmp"] };
  const escrowOf = (reportContext: Uint8Array) => ({
    vaultId: vaultKeys.id,
    nodeId: edgeKeys.nodeId,
    reportContext,
  });
  const built = buildBundle({
    header: sampleContext({ direction: direction.up, answers: [vault.receiver.nonce] }),
    body: (context) => {
      const escrow = sealEscrow({ ...escrowOf(context), recipient: sampleRecipient(22), plaintext: Uint8Array.of(1, 2, 3) });
      return { ...emptyBody(emptyDigest(), null), ...parts, escrow };
    },
    signer: sampleSigner(31),
    recipientKey: vaultKeys.recipient,
  });
  const options = { direction: direction.up, trust, recipient: vaultKeys.id.slice(0, 20), receiver: vault.receiver };
  const opened = openBundle(built.carrier, { ...options, sealingKeys: [sampleSealer(22), vaultKeys.sealer] });
  t.equal(opened.judgement.verdict, "apply");
  t.same(opened.signerNode, edgeKeys.nodeId);
  t.match(opened.body, parts);
  const blob = opened.body?.escrow ?? new Uint8Array(0);
  t.same(openEscrow({ ...escrowOf(opened.context), key: sampleSealer(22), blob }), Uint8Array.of(1, 2, 3));
});

t.test("a re-keyed node signs by its newest key, a revoked one not at all", async (t) => {
  const rekeyed = applyStatements(sampleTrust(), [
    signedMember(),
    signedMember({ serial: 2, signKey: sampleSigner(35).publicKey }),
  ]);
  const report = (byte: number) =>
    buildBundle({
      header: sampleContext({ direction: direction.up, answers: [new VaultEnd().receiver.nonce] }),
      body: emptyBody(emptyDigest(), null),
      signer: sampleSigner(byte),
      recipientKey: vaultKeys.recipient,
    }).carrier;
  const take = (carrier: Uint8Array, trust: TrustState) => {
    const receiver = new VaultEnd().receiver;
    const recipient = vaultKeys.id.slice(0, 20);
    return openBundle(carrier, { direction: direction.up, trust, recipient, receiver, sealingKeys: [vaultKeys.sealer] });
  };
  t.same(take(report(35), rekeyed.state).signerNode, edgeKeys.nodeId, "the node id stays");
  t.throws(() => take(report(31), rekeyed.state), { code: "BUNDLE_SIGNER_UNKNOWN" });
  const revoked = applyStatements(rekeyed.state, [signedRevoked(1, [{ nodeId: edgeKeys.nodeId, serial: 2 }])]).state;
  t.throws(() => take(report(35), revoked), { code: "TRUST_REVOKED" });
});

t.test("each thing that can be wrong with a bundle has its own code", async (t) => {
  const otherId = new Uint8Array(32).fill(9);
  const cases: [due: string, forgery: Forgery][] = [
    ["apply", {}],
    ["BUNDLE_WRONG_DIRECTION", { type: "report" }],
    [
      "BUNDLE_WRONG_DIRECTION",
      {
        header: {
          direction: direction.up,
          boot: { joinCounter: 1, bootCounter: 1 },
          recipient: edgeKeys.nodeId,
          signer: vaultKeys.signer.keyId,
        },
        body: { ...emptyBody(emptyDigest(), null) },
      },
    ],
    ["ENVELOPE_TYPE", { type: "notice" }],
    ["BUNDLE_SIGNER_UNKNOWN", { signer: sampleSigner(31) }],
    ["BUNDLE_SIGNER_MISMATCH", { header: { signer: sampleSigner(31).keyId } }],
    ["BUNDLE_WRONG_RECIPIENT", { header: { recipient: sampleSigner(40).keyId } }],
    ["BUNDLE_WRONG_VAULT", { header: { vaultId: otherId } }],
    ["BUNDLE_ROOT_MISSING", { header: { root: { version: 2, id: otherId } } }],
    ["BUNDLE_ROOT_FORK", { header: { root: { version: 1, id: otherId } } }],
    ["BUNDLE_EPOCH_AHEAD", { header: { vaultEpoch: 2 } }],
    ["STREAM_EPOCH_DOWN", { header: { vaultEpoch: 0 } }],
    ["STREAM_NONCE_REQUIRED", { header: { answers: [] } }],
    ["BUNDLE_BODY_LENGTH", { cut: (body) => body.subarray(0, -1) }],
    ["BUNDLE_BODY_LENGTH", { cut: () => new Uint8Array(0) }],
    ["BUNDLE_BODY_HASH", { cut: (body) => body.map((byte, i) => (i === 99 ? byte ^ 1 : byte)) }],
    ["BUNDLE_WRONG_KEY", { header: { sealingKeyId: vaultKeys.recipient.keyId } }],
    ["SEAL_OPEN_FAILED", { wrongKey: true }],
    ["SEAL_OPEN_FAILED", { late: (header) => ({ ...header, issuedAt: { lo: 5, hi: 5 } }) }],
    ["SEAL_OPEN_FAILED", { late: (header) => ({ ...header, commitment: otherId }) }],
    ["BUNDLE_HEADER_SHAPE", { payload: () => Uint8Array.of(0xff) }],
    ["BUNDLE_HEADER_SHAPE", { payload: withKey(19, 1) }],
    ["BUNDLE_HEADER_SHAPE", { payload: withKey(13, undefined) }],
    ["BUNDLE_HEADER_SHAPE", { payload: withKey(18, [1, 1]) }],
    ["BUNDLE_HEADER_SHAPE", { payload: withKey(9, otherId) }],
    ["BUNDLE_HEADER_SHAPE", { payload: withKey(8, 0) }],
    ["BUNDLE_HEADER_SHAPE", { payload: withKey(12, [1, 2]) }],
    ["BUNDLE_HEADER_SHAPE", { payload: withKey(10, 2) }],
    ["BUNDLE_UNSUPPORTED", { payload: withKey(11, 1) }],
    ["BUNDLE_UNSUPPORTED", { payload: withKey(30, 2) }],
  ];
  for (const [due, forgery] of cases) {
    t.equal(open(forge(forgery)), due, due);
  }
  t.equal(open(snapshotWithBase()), "BUNDLE_BODY_SHAPE");
});

t.test("a gateway that puts one bundle's head on another's body is refused", async (t) => {
  const one = decodeCarrier(forge({}));
  const other = decodeCarrier(
    forge({ body: { ...snapshot, entries: [entryA], resultDigest: stateDigest(entryMap([entryA])) } }),
  );
  t.equal(
    open(encodeCarrier({ ...one, body: other.body })),
    one.body.length === other.body.length ? "BUNDLE_BODY_HASH" : "BUNDLE_BODY_LENGTH",
  );
  t.equal(
    open(encodeCarrier({ ...other, body: one.body })),
    one.body.length === other.body.length ? "BUNDLE_BODY_HASH" : "BUNDLE_BODY_LENGTH",
  );
});

t.test("a gateway that reflects a node's own report, or hands a neighbour's bundle, is refused", async (t) => {
  const trust = applyStatements(sampleTrust(), [signedMember()]).state;
  const header = { direction: direction.up, recipient: edgeKeys.nodeId } as const;
  const reflected = forge({ type: "report", header, signer: sampleSigner(31), body: emptyBody(emptyDigest(), null) });
  t.equal(open(reflected, { trust }), "BUNDLE_WRONG_DIRECTION");
  t.equal(open(forge({}), { recipient: sampleSigner(40).keyId }), "BUNDLE_WRONG_RECIPIENT");
});

t.test("roots that ride beside a bundle are applied before it is judged", async (t) => {
  const root = secondTrust(2).roots[1];
  const header = { vaultEpoch: 2, root: { version: 2, id: root?.id ?? new Uint8Array(32) } };
  t.equal(open(forge({ header })), "BUNDLE_ROOT_MISSING");
  t.equal(open(forge({ header, statements: [secondRoot(2)] })), "apply");
  t.equal(open(forge({ statements: [secondRoot(2)] })), "STREAM_EPOCH_DOWN");
});

const flipCodes = new Set([
  "BUNDLE_BODY_HASH",
  "BUNDLE_BODY_LENGTH",
  "BUNDLE_SIGNER_UNKNOWN",
  "BUNDLE_WRONG_DIRECTION",
  "CARRIER_MALFORMED",
  "CARRIER_TOO_LARGE",
  "ENVELOPE_BAD_SIGNATURE",
  "ENVELOPE_MALFORMED",
  "ENVELOPE_TOO_LARGE",
  "ENVELOPE_TYPE",
]);

t.test("every flipped bit of a valid bundle is refused with a code, and nothing is applied", async (t) => {
  const { carrier } = new VaultEnd().issue([wanted(1, 1)]);
  const edge = new EdgeEnd();
  const before = edge.receiver;
  const found = new Map<string, number>();
  for (let bit = 0; bit < carrier.length * 8; bit += 1) {
    const flipped = carrier.slice();
    flipped[bit >>> 3] = (flipped[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
    const code = edge.take(flipped);
    found.set(code, (found.get(code) ?? 0) + 1);
  }
  t.same(
    [...found.keys()].filter((code) => !flipCodes.has(code)),
    [],
    "codes outside the stated set",
  );
  t.equal(edge.receiver, before);
  t.equal(edge.entries.size, 0);
  t.equal(edge.take(carrier), "apply", "the untouched one");
  t.comment(Object.fromEntries(found));
});

t.test("every truncation of a valid bundle, and a byte more, is refused", async (t) => {
  const { carrier } = new VaultEnd().issue([wanted(1, 1)]);
  const edge = new EdgeEnd();
  const codes = new Set<string>();
  for (let length = 0; length < carrier.length; length += 1) codes.add(edge.take(carrier.subarray(0, length)));
  codes.add(edge.take(Uint8Array.from([...carrier, 0])));
  t.same([...codes], ["CARRIER_MALFORMED"]);
  const { envelope, body } = decodeCarrier(carrier);
  const inner = new Set<string>();
  for (let length = 0; length < envelope.length; length += 1)
    inner.add(edge.take(encodeCarrier({ statements: [], envelope: envelope.subarray(0, length), body })));
  t.same([...inner], ["ENVELOPE_MALFORMED"]);
  t.equal(edge.entries.size, 0);
});

t.test("header and context have one encoding, and the context is the header without its seal", async (t) => {
  const envelope = decodeEnvelope(decodeCarrier(forge({})).envelope);
  const header = decodeHeader(envelope.payload);
  t.same(encodeHeader(header), envelope.payload);
  const keys = (bytes: Uint8Array) => [...(decodeTcbor(bytes) as ReadonlyMap<number, Tcbor>).keys()];
  t.same(keys(encodeContext(header)), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 30]);
  t.same(keys(envelope.payload).slice(-4), [30, 31, 32, 33]);
  const report = sampleContext({ direction: direction.up, ack: { epoch: 1, seq: 2, id: vaultKeys.id } });
  t.ok(keys(encodeContext(report)).includes(18));
  const eight = forge({ header: { answers: Array.from({ length: 8 }, (_, i) => new Uint8Array(16).fill(i)) } });
  t.equal(open(eight), "STREAM_NONCE_REQUIRED");
  const nine = withKey(
    14,
    Array.from({ length: 9 }, (_, i) => new Uint8Array(16).fill(i)),
  );
  t.equal(open(forge({ payload: nine })), "BUNDLE_HEADER_SHAPE");
});
