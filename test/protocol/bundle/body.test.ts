import t from "tap";
import { decodeTcbor, encodeTcbor, sameBytes, type Tcbor } from "../../../protocol/base/index.ts";
import {
  applyBody,
  type BundleBody,
  bundleKind,
  bundleLimits,
  decodeBody,
  decodeEntry,
  direction,
  emptyBody,
  emptyDigest,
  emptyState,
  encodeBody,
  entryKey,
  entryMap,
  makeEntry,
  stateDigest,
} from "../../../protocol/bundle/index.ts";
import { wanted } from "./rig.ts";

const salt = new Uint8Array(16).fill(0x5a);
const entryA = makeEntry({ ...wanted(1, 1), salt });
const entryB = makeEntry({ ...wanted(2, 1), salt, authority: { notBefore: 10, notAfter: 20 } });
const snapshot: BundleBody = { ...emptyBody(stateDigest(entryMap([entryA, entryB])), null), entries: [entryA, entryB] };
const down = { direction: direction.down, kind: bundleKind.snapshot };
const up = { direction: direction.up, kind: bundleKind.snapshot };

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
    ["an unknown key", raw([10, 1]), down],
    ["a cosignature that is too short", raw([9, [1, new Uint8Array(63)]]), down],
    ["a cosignature going up", raw([9, [1, new Uint8Array(64)]]), up],
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
