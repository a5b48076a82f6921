// Writes protocol/vectors/bundle.json: digests, headers, bodies and states.
import { decodeTcbor, encodeTcbor, type Tcbor } from "../../protocol/base/index.ts";
import {
  bundleKind,
  direction,
  emptyBody,
  emptyDigest,
  encodeBody,
  encodeContext,
  encodeHeader,
  entryMap,
  type HeaderContext,
  stateDigest,
} from "../../protocol/bundle/index.ts";
import {
  after,
  context,
  delta,
  deltaBody,
  down,
  entries,
  fill,
  inFile,
  newer,
  one,
  raw,
  reportBody,
  snapshotBody,
  up,
} from "./bundle-sample.ts";
import { variants, writeVectors } from "./write-vectors.ts";

const seal = { encapsulated: fill(1120, 7), commitment: fill(32, 8), ciphertextLength: 272, ciphertextHash: fill(32, 9) };

/** One key of an encoded header set to another value, or taken away. */
function withKey(key: number, value: Tcbor | undefined, from = context()): Uint8Array {
  const map = new Map(decodeTcbor(encodeHeader({ ...from, ...seal })) as ReadonlyMap<number, Tcbor>);
  if (value === undefined) map.delete(key);
  else map.set(key, value);
  return encodeTcbor(map);
}

const whole = (changes: Partial<HeaderContext>) => ({
  payload: encodeHeader({ ...context(changes), ...seal }),
  context: encodeContext(context(changes)),
});
const later = { seq: 7, prev: fill(32, 6), kind: bundleKind.delta, ack: { epoch: 3, seq: 2, id: fill(32, 2) } };
const headers = variants({ kind: "header", expect: "BUNDLE_HEADER_SHAPE" }, [
  { name: "header of a first snapshot", expect: "ok", ...whole({}) },
  { name: "header of a delta with an acknowledgement", expect: "ok", ...whole({ ...later, answers: [] }) },
  { name: "header of a report", expect: "ok", ...whole({ direction: direction.up, ...later }) },
  {
    name: "header of a report with both bounds of time",
    expect: "ok",
    ...whole({ direction: direction.up, issuedAt: { lo: 4, hi: 9 } }),
  },
  { name: "header with 8 answers", expect: "ok", ...whole({ answers: Array.from({ length: 8 }, (_, i) => fill(16, i)) }) },
  {
    name: "header with 9 answers",
    payload: withKey(
      14,
      Array.from({ length: 9 }, (_, i) => fill(16, i)),
    ),
  },
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 30, 31, 32, 33].map((key) => ({
    name: `header without key ${key}`,
    payload: withKey(key, undefined),
  })),
  { name: "header with key 19", payload: withKey(19, 1) },
  { name: "header with key 34", payload: withKey(34, 1) },
  { name: "bundle with boot counters", payload: withKey(18, [1, 5]) },
  { name: "report without boot counters", payload: withKey(18, undefined, context({ direction: direction.up })) },
  { name: "direction 2", payload: withKey(3, 2) },
  { name: "seq 0", payload: withKey(8, 0) },
  { name: "seq 1 with a predecessor", payload: withKey(9, fill(32, 1)) },
  { name: "seq 2 without a predecessor", payload: withKey(8, 2) },
  { name: "kind 2", payload: withKey(10, 2) },
  { name: "bundle with an interval of time", payload: withKey(12, [1, 2]) },
  { name: "report with one time", payload: withKey(12, 1, context({ direction: direction.up })) },
  { name: "report whose time ends before it begins", payload: withKey(12, [9, 4], context({ direction: direction.up })) },
  { name: "acknowledgement of seq 0", payload: withKey(15, [3, 0, fill(32, 1)]) },
  { name: "enc of 1,119 bytes", payload: withKey(31, fill(1119, 7)) },
  { name: "header that is an array", payload: encodeTcbor([1]) },
  { name: "header cut short", payload: whole({}).payload.subarray(0, -1) },
  { name: "stream 1", expect: "BUNDLE_UNSUPPORTED", payload: withKey(11, 1) },
  { name: "suite 2", expect: "BUNDLE_UNSUPPORTED", payload: withKey(30, 2) },
]);

const cosignedBody = { ...emptyBody(emptyDigest(), null), cosignature: { timeS: 1_800_000_000, signature: fill(64, 0x51) } };
const asTcbor = (index: number) => decodeTcbor(entries[index]?.bytes ?? new Uint8Array(0));
const bodies = variants({ kind: "body", expect: "BUNDLE_BODY_SHAPE", ...inFile(down) }, [
  { name: "body of a snapshot", expect: "ok", plaintext: encodeBody(snapshotBody, down) },
  { name: "body of an empty snapshot", expect: "ok", plaintext: raw() },
  { name: "body of a delta", expect: "ok", ...inFile(delta), plaintext: encodeBody(deltaBody, delta) },
  { name: "body of a report", expect: "ok", ...inFile(up), plaintext: encodeBody(reportBody, up) },
  { name: "delta without base", ...inFile(delta), plaintext: raw() },
  { name: "snapshot with base", plaintext: raw([1, emptyDigest()]) },
  { name: "snapshot that removes", plaintext: raw([4, [[3, fill(16, 1)]]]) },
  { name: "body without result", plaintext: encodeTcbor(new Map([[3, [asTcbor(0)]]])) },
  { name: "body of a bundle with a cosignature", expect: "ok", plaintext: encodeBody(cosignedBody, down) },
  { name: "cosignature of 63 bytes", plaintext: raw([9, [1, fill(63, 1)]]) },
  { name: "report with a cosignature", ...inFile(up), plaintext: raw([9, [1, fill(64, 1)]]) },
  { name: "body with key 10", plaintext: raw([10, 1]) },
  { name: "empty list of entries", plaintext: raw([3, []]) },
  { name: "entries out of order", plaintext: raw([3, [asTcbor(1), asTcbor(0)]]) },
  { name: "entry twice", plaintext: raw([3, [asTcbor(0), asTcbor(0)]]) },
  {
    name: "entry put and removed",
    ...inFile(delta),
    plaintext: raw([1, emptyDigest()], [3, [asTcbor(0)]], [4, [[3, fill(16, 1)]]]),
  },
  { name: "report with entries", ...inFile(up), plaintext: raw([3, [asTcbor(0)]]) },
  { name: "bundle with facts", plaintext: raw([5, [[6, fill(1, 0x80)]]]) },
  { name: "bundle with escrow", plaintext: raw([6, fill(1, 1)]) },
  { name: "bundle with capabilities", plaintext: raw([8, ["snmp"]]) },
  { name: "capabilities out of order", ...inFile(up), plaintext: raw([8, ["snmp", "modbus"]]) },
  { name: "entry type 65,536", plaintext: raw([3, [[65_536, fill(16, 1), [1, 1], null, fill(16, 1), fill(1, 1)]]]) },
  {
    name: "window that ends before it begins",
    plaintext: raw([3, [[5, fill(16, 1), [1, 1], [9, 8], fill(16, 1), fill(1, 1)]]]),
  },
  {
    name: "entry of 65,536 bytes",
    expect: "ok",
    plaintext: raw([3, [[3, fill(16, 1), [3, 1], null, fill(16, 1), fill(65_536 - 43, 0)]]]),
  },
  {
    name: "entry of 65,537 bytes",
    expect: "BUNDLE_ENTRY_TOO_LARGE",
    plaintext: raw([3, [[3, fill(16, 1), [3, 1], null, fill(16, 1), fill(65_537 - 43, 0)]]]),
  },
]);

const list = (items: readonly { bytes: Uint8Array }[]) => items.map((item) => item.bytes);
const digests = variants({ kind: "digest", expect: "ok" }, [
  { name: "digest of the empty state", entries: [], digest: emptyDigest() },
  { name: "digest of one entry", entries: list([one]), digest: stateDigest(entryMap([one])) },
  {
    name: "digest of four entries, given out of order",
    entries: list([...entries].reverse()),
    digest: stateDigest(entryMap(entries)),
  },
]);

const applied = { kind: "apply", held: list(entries), plaintext: encodeBody(deltaBody, delta), ...inFile(delta) };
const older = { ...emptyBody(stateDigest(entryMap([one])), stateDigest(entryMap([newer]))), entries: [one] };
const states = variants({ ...applied, expect: "ok" }, [
  { name: "a delta that puts one entry and drops another", entries: list([...after.values()]) },
  {
    name: "a snapshot over another state",
    ...inFile(down),
    plaintext: encodeBody(snapshotBody, down),
    held: list([newer]),
    entries: list(entries),
  },
  { name: "a delta for another state", expect: "BUNDLE_BASE_MISMATCH", held: list(entries.slice(0, 3)) },
  {
    name: "a delta with another result",
    expect: "BUNDLE_RESULT_MISMATCH",
    plaintext: encodeBody({ ...deltaBody, resultDigest: emptyDigest() }, delta),
  },
  {
    name: "a delta that puts an older entry",
    expect: "BUNDLE_ENTRY_OLDER",
    held: list([newer]),
    plaintext: encodeBody(older, delta),
  },
]);

writeVectors("bundle", {
  area: "bundle",
  about: "SPEC.md sections 11.1 to 11.3: states, headers, bodies.",
  cases: [...digests, ...headers, ...bodies, ...states],
});
