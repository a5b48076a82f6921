import fc from "fast-check";
import t from "tap";
import { sameBytes, toHex } from "../../../protocol/base/index.ts";
import {
  applyBody,
  buildBundle,
  bundleKind,
  type DesiredEntry,
  decodeBody,
  decodeEntry,
  decodeHeader,
  direction,
  type EntryMap,
  emptyState,
  encodeBody,
  encodeHeader,
  entryMap,
  makeEntry,
  planDelta,
  planSnapshot,
  stateDigest,
} from "../../../protocol/bundle/index.ts";
import { encodeContent, fingerprintOf, makeFields } from "../../../protocol/content/index.ts";
import { EdgeEnd, edge as edgeKeys, sampleContext, sequence, VaultEnd, vault as vaultKeys, wanted } from "./rig.ts";

/** Bounded and seeded, so that a run repeats. */
const runs = { numRuns: 60, seed: 20_240_601 };

function idOf(n: number): Uint8Array {
  const bytes = new Uint8Array(16).fill(0xcc);
  new DataView(bytes.buffer).setUint32(0, n);
  return bytes;
}

/** A credential as the vault would export it. */
function credential(n: number, version: number): DesiredEntry {
  const fields = makeFields([["password", new TextEncoder().encode(`correct horse battery staple ${n}.${version}`)]]);
  const index = { epoch: 1, number: version };
  const fingerprint = fingerprintOf(new Uint8Array(32).fill(1), fields);
  const content = encodeContent({ kind: "credential", accountId: idOf(n), index, role: "current", fields, fingerprint });
  return { ...content, id: idOf(n), index, authority: null };
}

t.test("one changed credential of 10,000 costs less than 4 KB on the wire", async (t) => {
  const random = sequence(3);
  const many = Array.from({ length: 10_000 }, (_, n) => credential(n, 1));
  const { entries: exported } = planSnapshot({ exported: emptyState, desired: many, random });
  many[4321] = credential(4321, 2);
  const plan = planDelta({ exported, desired: many, random });
  t.equal(plan?.body.entries.length, 1);
  t.equal(plan?.body.removed.length, 0);
  if (plan === null) return;
  const context = { kind: bundleKind.delta, seq: 2, prev: new Uint8Array(32).fill(1), answers: [new Uint8Array(16)] };
  const head = { serial: 1, size: 1_000_000, root: new Uint8Array(32) };
  const header = sampleContext({
    ...context,
    ack: { epoch: 1, seq: 9, id: new Uint8Array(32) },
    auditHead: head,
    provenHead: head,
  });
  const { carrier } = buildBundle({ header, body: plan.body, signer: vaultKeys.signer, recipientKey: edgeKeys.recipient });
  t.comment(`${carrier.length} bytes`);
  t.ok(carrier.length < 4096, `${carrier.length} bytes`);

  const times = Array.from({ length: 9 }, () => {
    const started = performance.now();
    stateDigest(exported);
    return performance.now() - started;
  }).sort((a, b) => a - b);
  t.comment(`state digest of 10,000 entries: median ${times[4]?.toFixed(1)} ms, best ${times[0]?.toFixed(1)} ms`);
});

t.test("an unchanged entry keeps its salt, a changed one gets a new one", async (t) => {
  const random = sequence(5);
  const first = planSnapshot({ exported: emptyState, desired: [wanted(1, 1), wanted(2, 1)], random });
  t.equal(planDelta({ exported: first.entries, desired: [wanted(2, 1), wanted(1, 1)], random }), null, "order means nothing");
  const windowed = { ...wanted(1, 1), authority: { notBefore: 1, notAfter: 2 } };
  for (const [what, changed] of [
    ["payload", wanted(1, 1, "other")],
    ["index", { ...wanted(1, 1), index: { epoch: 1, number: 2 } }],
    ["authority", windowed],
  ] as const) {
    const plan = planDelta({ exported: first.entries, desired: [changed, wanted(2, 1)], random });
    t.equal(plan?.body.entries.length, 1, what);
    const before = first.entries.get(plan?.body.entries[0]?.key ?? "");
    t.notSame(plan?.body.entries[0]?.salt, before?.salt, what);
  }
  const again = planSnapshot({ exported: first.entries, desired: [wanted(1, 1), wanted(2, 1)], random });
  t.ok(sameBytes(again.body.resultDigest, first.body.resultDigest), "a snapshot of the same state has the same digest");
});

const version = fc.record({ epoch: fc.nat(3), number: fc.nat(5) });
const authority = fc.option(fc.tuple(fc.nat(100), fc.nat(100)), { nil: null });
const desiredEntry: fc.Arbitrary<DesiredEntry> = fc
  .record({
    type: fc.integer({ min: 0, max: 12 }),
    id: fc.nat(6),
    index: version,
    authority,
    payload: fc.uint8Array({ maxLength: 40 }),
  })
  .map(({ id, authority: window, ...rest }) => ({
    ...rest,
    id: idOf(id),
    authority: window === null ? null : { notBefore: window[0], notAfter: window[0] + window[1] },
  }));
const desiredState = fc.uniqueArray(desiredEntry, { maxLength: 12, selector: ({ type, id }) => `${type}/${toHex(id)}` });

/** Versions only rise between two states, as at the vault. */
function risen(before: EntryMap, desired: readonly DesiredEntry[]): DesiredEntry[] {
  return desired.map((entry) => {
    const held = before.get(makeEntry({ ...entry, salt: new Uint8Array(16) }).key);
    return held === undefined ? entry : { ...entry, index: { epoch: held.index.epoch + 1, number: entry.index.number } };
  });
}

t.test("a planned delta or snapshot always makes the desired state of the exported one", async () => {
  fc.assert(
    fc.property(desiredState, desiredState, (before, after) => {
      const random = sequence(11);
      const first = planSnapshot({ exported: emptyState, desired: before, random });
      const exported = applyBody(emptyState, first.body).entries;
      const desired = risen(exported, after);
      const delta = planDelta({ exported, desired, random });
      const snapshot = planSnapshot({ exported, desired, random });
      const says = (entries: EntryMap) => [...entries.values()].map(({ key, payload }) => `${key} ${toHex(payload)}`).sort();
      const due = says(entryMap(desired.map((entry) => makeEntry({ ...entry, salt: new Uint8Array(16) }))));
      const reached = delta === null ? exported : applyBody(exported, delta.body).entries;
      const replaced = applyBody(exported, snapshot.body).entries;
      return JSON.stringify([says(reached), says(replaced)]) === JSON.stringify([due, due]);
    }),
    runs,
  );
});

t.test("entries, bodies and headers decode to what was encoded, and encode to what was decoded", async () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const count = fc.nat(2 ** 40);
  fc.assert(
    fc.property(desiredState, fc.boolean(), (desired, asDelta) => {
      const plan = planSnapshot({ exported: emptyState, desired, random: sequence(13) });
      const form = { direction: direction.down, kind: asDelta ? bundleKind.delta : bundleKind.snapshot };
      const body = { ...plan.body, baseDigest: asDelta ? new Uint8Array(32).fill(1) : null };
      const encoded = encodeBody(body, form);
      const decoded = decodeBody(encoded, form);
      const entries = decoded.entries.every((entry) => sameBytes(decodeEntry(entry.bytes).bytes, entry.bytes));
      return (
        entries &&
        sameBytes(encodeBody(decoded, form), encoded) &&
        sameBytes(stateDigest(entryMap(decoded.entries)), body.resultDigest)
      );
    }),
    runs,
  );
  const head = fc.option(fc.record({ serial: count, size: count, root: bytes(32) }), { nil: null });
  const place = fc.option(fc.record({ epoch: count, seq: fc.integer({ min: 1, max: 2 ** 50 }), id: bytes(32) }), { nil: null });
  const header = fc.record({
    up: fc.boolean(),
    first: fc.boolean(),
    vaultEpoch: count,
    nonce: bytes(16),
    answers: fc.array(bytes(16), { maxLength: 8 }),
    ack: place,
    auditHead: head,
    provenHead: head,
    lo: count,
    open: fc.boolean(),
    encapsulated: bytes(1120),
    commitment: bytes(32),
  });
  fc.assert(
    fc.property(header, ({ up, first, lo, open, encapsulated, commitment, ...fields }) => {
      const context = sampleContext({
        ...fields,
        direction: up ? direction.up : direction.down,
        seq: first ? 1 : 2,
        prev: new Uint8Array(32).fill(first ? 0 : 1),
        issuedAt: { lo, hi: up && open ? null : lo },
      });
      const encoded = encodeHeader({ ...context, encapsulated, commitment, ciphertextLength: lo, ciphertextHash: commitment });
      return sameBytes(encodeHeader(decodeHeader(encoded)), encoded);
    }),
    runs,
  );
});

t.test("edges that get the same bundles in any order, any number of times, end in the same state", async () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.boolean()), { minLength: 1, maxLength: 7 });
  const order = fc.array(fc.nat(99), { minLength: 8, maxLength: 24 });
  fc.assert(
    fc.property(steps, order, (changes, picks) => {
      const vault = new VaultEnd();
      const versions = new Map([[9, 1]]);
      const desired = () => [...versions].map(([id, n]) => wanted(id, n));
      const carriers = [vault.issue(desired()).carrier];
      for (const [id, snapshot] of changes) {
        versions.set(id, (versions.get(id) ?? 0) + 1);
        carriers.push(vault.issue(desired(), { snapshot }).carrier);
      }
      const edge = new EdgeEnd();
      const taken = picks.map((pick) => edge.take(carriers[pick % carriers.length] as Uint8Array));
      // Whatever was lost on the way is sent again until it is acknowledged.
      const rest = [...carriers, ...carriers].map((carrier) => edge.take(carrier));
      const allowed = ["apply", "duplicate", "hold", "STREAM_NONCE_REQUIRED"];
      const due = desired().map(({ payload }) => new TextDecoder().decode(payload));
      return (
        [...taken, ...rest].every((verdict) => allowed.includes(verdict)) &&
        JSON.stringify(edge.values()) === JSON.stringify(due.sort()) &&
        edge.receiver.head?.seq === carriers.length &&
        sameBytes(edge.receiver.stateDigest, stateDigest(vault.exported)) &&
        edge.receiver.held.length === 0 &&
        edge.held.size === 0
      );
    }),
    runs,
  );
});

t.test("a body whose digests do not fit is never applied", async () => {
  fc.assert(
    fc.property(desiredState, desiredState, fc.nat(255), fc.nat(31), fc.boolean(), (before, after, change, at, ofBase) => {
      const random = sequence(17);
      const exported = planSnapshot({ exported: emptyState, desired: before, random }).entries;
      const plan = planDelta({ exported, desired: risen(exported, after), random });
      if (plan === null || change === 0 || plan.body.baseDigest === null) return true;
      const wrong = (digest: Uint8Array) => digest.map((byte, i) => (i === at ? byte ^ change : byte));
      const { baseDigest, resultDigest } = plan.body;
      const body = ofBase
        ? { ...plan.body, baseDigest: wrong(baseDigest) }
        : { ...plan.body, resultDigest: wrong(resultDigest) };
      try {
        applyBody(exported, body);
        return false;
      } catch (error) {
        return (error as { code?: string }).code === (ofBase ? "BUNDLE_BASE_MISMATCH" : "BUNDLE_RESULT_MISMATCH");
      }
    }),
    runs,
  );
});
