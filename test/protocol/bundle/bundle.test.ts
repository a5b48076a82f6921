import { hash } from "node:crypto";
import t from "tap";
import { decodeTcbor, encodeTcbor, sameBytes, type Tcbor, TidegateError } from "../../../protocol/base/index.ts";
import {
  applyBody,
  type BundleBody,
  type BundleHeader,
  buildBundle,
  bundleKind,
  bundleLimits,
  decodeBody,
  decodeEntry,
  decodeHeader,
  direction,
  emptyBody,
  emptyDigest,
  emptyState,
  encodeBody,
  encodeContext,
  encodeHeader,
  entryKey,
  entryMap,
  type HeaderContext,
  makeEntry,
  openBundle,
  stateDigest,
} from "../../../protocol/bundle/index.ts";
import { decodeCarrier, decodeEnvelope, encodeCarrier, signEnvelope } from "../../../protocol/envelope/index.ts";
import type { SigningKey } from "../../../protocol/keys/index.ts";
import { openEscrow, sealBody, sealEscrow } from "../../../protocol/seal/index.ts";
import { applyStatements, type TrustState } from "../../../protocol/trust/index.ts";
import { sampleRecipient, sampleSealer, sampleSigner, sampleTrust, signedMember, signedRevoked } from "../sample-vault.ts";
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

const salt = new Uint8Array(16).fill(0x5a);
const entryA = makeEntry({ ...wanted(1, 1), salt });
const entryB = makeEntry({ ...wanted(2, 1), salt, authority: { notBefore: 10, notAfter: 20 } });
const snapshot: BundleBody = { ...emptyBody(stateDigest(entryMap([entryA, entryB])), null), entries: [entryA, entryB] };
const down = { direction: direction.down, kind: bundleKind.snapshot };
const up = { direction: direction.up, kind: bundleKind.snapshot };

/** Opens as edge 31 does, answering with the verdict or the code. */
function open(carrier: Uint8Array, changes: { trust?: TrustState; direction?: 0 | 1; recipient?: Uint8Array } = {}): string {
  try {
    const result = openBundle(carrier, {
      direction: direction.down,
      trust: new EdgeEnd().trust,
      recipient: edgeKeys.nodeId,
      receiver: new EdgeEnd().receiver,
      sealingKeys: [edgeKeys.sealer],
      ...changes,
    });
    return result.judgement.code ?? result.judgement.verdict;
  } catch (error) {
    if (error instanceof TidegateError) return error.code;
    throw error;
  }
}

interface Forgery {
  readonly header?: Partial<HeaderContext>;
  readonly body?: BundleBody;
  /** Changes the finished header before it is signed. */
  readonly late?: (header: BundleHeader) => BundleHeader;
  readonly signer?: SigningKey;
  /** Replaces the sealed body after signing. */
  readonly cut?: (body: Uint8Array) => Uint8Array;
  readonly type?: "bundle" | "report" | "notice";
  readonly payload?: (encoded: Uint8Array) => Uint8Array;
  readonly wrongKey?: boolean;
  readonly statements?: readonly Uint8Array[];
}

/** A bundle as a careless or hostile signer of the vault could make it. */
function forge({
  header,
  body = snapshot,
  late,
  signer = vaultKeys.signer,
  cut,
  type = "bundle",
  payload,
  ...rest
}: Forgery): Uint8Array {
  const context = sampleContext({ answers: [new EdgeEnd().receiver.nonce], ...header });
  const recipient = (rest.wrongKey ? vaultKeys : edgeKeys).recipient;
  const sealed = sealBody({ context: encodeContext(context), recipient, plaintext: encodeBody(body, context) });
  const seal = {
    encapsulated: sealed.encapsulated,
    commitment: sealed.commitment,
    ciphertextLength: sealed.ciphertext.length,
    ciphertextHash: new Uint8Array(hash("sha256", sealed.ciphertext, "buffer")),
  };
  const whole = { ...context, ...seal };
  const encoded = encodeHeader(late === undefined ? whole : late(whole));
  const envelope = signEnvelope(type, payload === undefined ? encoded : payload(encoded), [signer]);
  const bytes = cut === undefined ? sealed.ciphertext : cut(sealed.ciphertext);
  return encodeCarrier({ statements: rest.statements ?? [], envelope, body: bytes });
}

/** Changes one key of an encoded header. */
function withKey(key: number, value: Tcbor | undefined): (encoded: Uint8Array) => Uint8Array {
  return (encoded) => {
    const map = new Map(decodeTcbor(encoded) as ReadonlyMap<number, Tcbor>);
    if (value === undefined) map.delete(key);
    else map.set(key, value);
    return encodeTcbor(map);
  };
}

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

/** A snapshot whose body bears a delta's base digest. */
function snapshotWithBase(): Uint8Array {
  const context = sampleContext({ answers: [new EdgeEnd().receiver.nonce] });
  const plaintext = encodeTcbor(
    new Map([
      [1, emptyDigest()],
      [2, emptyDigest()],
    ]),
  );
  const sealed = sealBody({ context: encodeContext(context), recipient: edgeKeys.recipient, plaintext });
  const ciphertextHash = new Uint8Array(hash("sha256", sealed.ciphertext, "buffer"));
  const header = encodeHeader({ ...context, ...sealed, ciphertextLength: sealed.ciphertext.length, ciphertextHash });
  return encodeCarrier({
    statements: [],
    envelope: signEnvelope("bundle", header, [vaultKeys.signer]),
    body: sealed.ciphertext,
  });
}

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

t.test("a body has one encoding and keeps to its direction and kind", async (t) => {
  t.same(decodeBody(encodeBody(snapshot, down), down), snapshot);
  const digest = emptyDigest();
  const a = [900, new Uint8Array(16).fill(1)];
  const raw = (...pairs: [number, Tcbor][]) => encodeTcbor(new Map<number, Tcbor>([[2, digest], ...pairs]));
  const delta = { ...down, kind: bundleKind.delta };
  const cases: [what: string, bytes: Uint8Array, form: typeof down | typeof up | typeof delta][] = [
    ["no result", encodeTcbor(new Map([[1, digest]])), delta],
    ["a delta without base", raw(), delta],
    ["a snapshot with base", raw([1, digest]), down],
    ["an empty list of entries", raw([3, []]), down],
    ["an empty list of facts", raw([5, []]), up],
    ["an unknown key", raw([9, 1]), down],
    ["entries out of order", raw([3, [decodeTcbor(entryB.bytes), decodeTcbor(entryA.bytes)]]), down],
    ["an entry twice", raw([3, [decodeTcbor(entryA.bytes), decodeTcbor(entryA.bytes)]]), down],
    ["an entry put and removed", raw([1, digest], [3, [decodeTcbor(entryA.bytes)]], [4, [a]]), delta],
    ["a removal twice", raw([1, digest], [4, [a, a]]), delta],
    ["a snapshot that removes", raw([4, [a]]), down],
    ["a report with entries", raw([3, [decodeTcbor(entryA.bytes)]]), up],
    ["facts going down", raw([5, [[1, digest]]]), down],
    ["escrow going down", raw([6, digest]), down],
    ["capabilities going down", raw([8, ["snmp"]]), down],
    ["capabilities out of order", raw([8, ["snmp", "modbus"]]), up],
    ["a capability with blanks", raw([8, ["snmp v3"]]), up],
    ["a window that ends before it begins", raw([3, [[900, salt, [1, 1], [5, 4], salt, salt]]]), down],
    ["an entry type above 16 bits", raw([3, [[65_536, salt, [1, 1], null, salt, salt]]]), down],
  ];
  for (const [what, bytes, form] of cases) t.throws(() => decodeBody(bytes, form), { code: "BUNDLE_BODY_SHAPE" }, what);
});

t.test("bodies keep their limits", async (t) => {
  const digest = emptyDigest();
  const fact = (bytes: number) => ({ type: 1, payload: new Uint8Array(bytes) });
  const report = (facts: BundleBody["facts"], rest: Partial<BundleBody> = {}) =>
    encodeTcbor(
      new Map<number, Tcbor>([
        [2, digest],
        [5, facts.map(({ type, payload }) => [type, payload])],
        [6, rest.escrow ?? new Uint8Array(1)],
        [7, [1, 1, rest.consistencyProof?.hashes ?? []]],
        [8, rest.capabilities ?? ["a"]],
      ]),
    );
  const proof = (n: number) => ({ consistencyProof: { serial: 1, from: 1, hashes: Array.from({ length: n }, () => digest) } });
  const names = (n: number) => ({ capabilities: Array.from({ length: n }, (_, i) => `c${String(i).padStart(3, "0")}`) });
  const limits: [what: string, limit: number, bytes: (n: number) => Uint8Array][] = [
    ["facts", bundleLimits.facts, (n) => report(Array.from({ length: n }, () => fact(1)))],
    ["fact bytes", bundleLimits.factBytes, (n) => report([fact(n)])],
    ["escrow bytes", bundleLimits.escrowBytes, (n) => report([fact(1)], { escrow: new Uint8Array(n) })],
    ["proof hashes", bundleLimits.proofHashes, (n) => report([fact(1)], proof(n))],
    ["capabilities", bundleLimits.capabilities, (n) => report([fact(1)], names(n))],
    ["capability bytes", bundleLimits.capabilityBytes, (n) => report([fact(1)], { capabilities: ["c".repeat(n)] })],
  ];
  for (const [what, limit, bytes] of limits) {
    for (const n of [limit - 1, limit]) t.doesNotThrow(() => decodeBody(bytes(n), up), `${what} ${n}`);
    t.throws(() => decodeBody(bytes(limit + 1), up), { code: "BUNDLE_BODY_SHAPE" }, `${what} ${limit + 1}`);
  }
  const overhead = entryA.bytes.length - entryA.payload.length + 2;
  const entryOf = (bytes: number) => makeEntry({ ...entryA, payload: new Uint8Array(bytes - overhead) });
  const { entryBytes } = bundleLimits;
  t.equal(entryOf(entryBytes).bytes.length, entryBytes);
  t.equal(decodeEntry(entryOf(entryBytes - 1).bytes).bytes.length, entryBytes - 1);
  t.throws(() => entryOf(entryBytes + 1), { code: "BUNDLE_ENTRY_TOO_LARGE" });
  const tooLarge = encodeTcbor([900, salt, [1, 1], null, salt, new Uint8Array(entryBytes - overhead + 1)]);
  t.throws(() => decodeEntry(tooLarge), { code: "BUNDLE_ENTRY_TOO_LARGE" });
});

t.test("a body that would not fit into a carrier is not built", async (t) => {
  const id = (n: number) => {
    const bytes = new Uint8Array(16);
    new DataView(bytes.buffer).setUint32(0, n);
    return bytes;
  };
  const payload = new Uint8Array(65_000);
  const entries = Array.from({ length: 1033 }, (_, n) => ({ ...makeEntry({ ...entryA, id: id(n), payload }) }));
  const body = { ...emptyBody(emptyDigest(), null), entries };
  t.throws(() => encodeBody(body, down), { code: "BUNDLE_TOO_LARGE" });
  t.ok(encodeBody({ ...body, entries: entries.slice(0, 1031) }, down).length <= bundleLimits.plainBodyBytes);
});

t.test("a body applies whole or not at all", async (t) => {
  const held = entryMap([entryA, entryB]);
  const base = stateDigest(held);
  const newer = makeEntry({ ...wanted(1, 2), salt });
  const result = entryMap([newer]);
  const delta: BundleBody = { ...emptyBody(stateDigest(result), base), entries: [newer], removed: [entryB] };
  const applied = applyBody(held, delta);
  t.same(applied.put, [newer]);
  t.same(applied.removed, [entryB]);
  t.ok(sameBytes(applied.digest, stateDigest(result)));
  t.equal(held.size, 2, "the state held is left alone");
  t.throws(() => applyBody(emptyState, delta), { code: "BUNDLE_BASE_MISMATCH" });
  t.throws(() => applyBody(held, { ...delta, resultDigest: base }), { code: "BUNDLE_RESULT_MISMATCH" });
  t.throws(() => applyBody(held, { ...delta, removed: [] }), { code: "BUNDLE_RESULT_MISMATCH" });
  const older = { ...emptyBody(base, stateDigest(result)), entries: [entryA, entryB] };
  t.throws(() => applyBody(result, older), { code: "BUNDLE_ENTRY_OLDER" });
  const again = applyBody(result, { ...older, baseDigest: null });
  t.same(again.put, [entryA, entryB], "a snapshot replaces, older versions included");
  const unchanged = applyBody(held, snapshot);
  t.same([unchanged.put, unchanged.removed], [[], []], "what was held with the same bytes is no change");
  t.same(applyBody(held, { ...emptyBody(emptyDigest(), null) }).removed, [entryA, entryB]);
});

t.test("a state takes as many entries as allowed", async (t) => {
  const { entries: most } = bundleLimits;
  const full = new Map(Array.from({ length: most - 1 }, (_, n) => [String(n), { ...entryB, key: String(n) }]));
  const put = [makeEntry({ ...wanted(7, 1), salt }), makeEntry({ ...wanted(8, 1), salt })];
  const base = stateDigest(full);
  const oneMore = new Map([...full, [entryKey(put[0] ?? entryA), put[0] ?? entryA] as const]);
  const body = { ...emptyBody(stateDigest(oneMore), base), entries: put.slice(0, 1) };
  t.equal(applyBody(full, body).entries.size, most);
  t.throws(() => applyBody(full, { ...body, entries: put }), { code: "BUNDLE_TOO_MANY_ENTRIES" });
});
