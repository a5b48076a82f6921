import {
  asBytes,
  asBytesUpTo,
  asList,
  asMap,
  assert,
  asText,
  asTuple,
  asUint,
  decodeTcbor,
  encodeTcbor,
  type Tcbor,
  TcborError,
} from "../base/index.ts";
import { type Entry, type EntryRef, entryFromTcbor, entryKey, entryToTcbor, refFromTcbor, refToTcbor } from "./entry.ts";
import { BundleError, readingAs } from "./errors.ts";
import { type BundleKind, bundleKind, type Direction, direction } from "./header-fields.ts";
import { bundleLimits } from "./limits.ts";

/** One statement of a report; opaque here, protocol/content reads it. */
export interface Fact {
  readonly type: number;
  readonly payload: Uint8Array;
}

/** RFC 6962 proof that the sender's audit head (header key 16) extends its log of `from` leaves. */
export interface ConsistencyProof {
  readonly serial: number;
  /** Size of the older tree. */
  readonly from: number;
  /** 32 bytes each, at most 64. */
  readonly hashes: readonly Uint8Array[];
}

/** What a witness says of the recipient's audit head in header key 17, as the line of a C2SP cosignature has it. */
export interface HeadCosignature {
  /** Seconds since 1970. */
  readonly timeS: number;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

/** What a seal holds. */
export interface BundleBody {
  /** 32 bytes: digest of the state that a delta applies to; null in a snapshot. */
  readonly baseDigest: Uint8Array | null;
  /** 32 bytes: digest of the state that results. */
  readonly resultDigest: Uint8Array;
  /** Entries to put; in a snapshot, all of them. By (type, id), each once. */
  readonly entries: readonly Entry[];
  /** Entries to drop; deltas only. By (type, id), each once, none of them in `entries`. */
  readonly removed: readonly EntryRef[];
  /** Up only. */
  readonly facts: readonly Fact[];
  /** Up only: candidates sealed to the recovery key. */
  readonly escrow: Uint8Array | null;
  readonly consistencyProof: ConsistencyProof | null;
  /** Up only: what the node can do, `[a-z0-9][a-z0-9.:-]*` in ascending order. */
  readonly capabilities: readonly string[];
  /** Down only. */
  readonly cosignature: HeadCosignature | null;
}

/** Which rules a body is read by; both stand in the signed header. */
export interface BodyForm {
  readonly direction: Direction;
  readonly kind: BundleKind;
}

const at = "body";
const highestFactType = 0xffff;
/** ASCII, so that the order of texts is the order of bytes. */
const capability = /^[a-z0-9][a-z0-9.:-]*$/;

/** A body that changes nothing and says nothing yet, for spreading. */
export function emptyBody(resultDigest: Uint8Array, baseDigest: Uint8Array | null): BundleBody {
  return {
    baseDigest,
    resultDigest,
    entries: [],
    removed: [],
    facts: [],
    escrow: null,
    consistencyProof: null,
    capabilities: [],
    cosignature: null,
  };
}

/** TCBOR of a body; what is null or empty is left out. Throws BUNDLE_TOO_LARGE; a body against its form is a bug and crashes. */
export function encodeBody(body: BundleBody, form: BodyForm): Uint8Array {
  const problem = problemOf(body, form);
  assert(problem === null, `body: ${problem}`);
  const map = new Map<number, Tcbor>([[2, body.resultDigest]]);
  if (body.baseDigest !== null) map.set(1, body.baseDigest);
  if (body.entries.length > 0) map.set(3, body.entries.map(entryToTcbor));
  if (body.removed.length > 0) map.set(4, body.removed.map(refToTcbor));
  if (body.facts.length > 0)
    map.set(
      5,
      body.facts.map((fact) => [fact.type, fact.payload]),
    );
  if (body.escrow !== null) map.set(6, body.escrow);
  if (body.consistencyProof !== null) map.set(7, proofToTcbor(body.consistencyProof));
  if (body.capabilities.length > 0) map.set(8, body.capabilities);
  if (body.cosignature !== null) map.set(9, [body.cosignature.timeS, body.cosignature.signature]);
  const bytes = encodeTcbor(map);
  if (bytes.length <= bundleLimits.plainBodyBytes) return bytes;
  throw new BundleError("BUNDLE_TOO_LARGE", `body of ${bytes.length} bytes, at most ${bundleLimits.plainBodyBytes}`);
}

/** Inverse of {@link encodeBody}. Throws BUNDLE_BODY_SHAPE, BUNDLE_ENTRY_TOO_LARGE. */
export function decodeBody(plaintext: Uint8Array, form: BodyForm): BundleBody {
  return readingAs("BUNDLE_BODY_SHAPE", () => {
    const map = asMap(decodeTcbor(plaintext), at, { required: [2], optional: [1, 3, 4, 5, 6, 7, 8, 9] });
    const body: BundleBody = {
      baseDigest: map.has(1) ? asBytes(map.get(1), `${at}.1`, 32) : null,
      resultDigest: asBytes(map.get(2), `${at}.2`, 32),
      entries: filled(map, 3, bundleLimits.entries).map((entry, i) => entryFromTcbor(entry, `${at}.3[${i}]`)),
      removed: filled(map, 4, bundleLimits.entries).map((ref, i) => refFromTcbor(ref, `${at}.4[${i}]`)),
      facts: filled(map, 5, bundleLimits.facts).map(factFromTcbor),
      escrow: map.has(6) ? asBytesUpTo(map.get(6), `${at}.6`, bundleLimits.escrowBytes) : null,
      consistencyProof: map.has(7) ? proofFromTcbor(map.get(7)) : null,
      capabilities: filled(map, 8, bundleLimits.capabilities).map((text) =>
        asText(text, `${at}.8`, bundleLimits.capabilityBytes),
      ),
      cosignature: map.has(9) ? cosignatureFromTcbor(map.get(9)) : null,
    };
    const problem = problemOf(body, form);
    if (problem !== null) throw new TcborError("TCBOR_SHAPE", `${at}: ${problem}`);
    return body;
  });
}

/** The rules that hold between fields; null where all do. */
function problemOf(body: BundleBody, form: BodyForm): string | null {
  const up = form.direction === direction.up;
  const delta = form.kind === bundleKind.delta;
  if (delta !== (body.baseDigest !== null)) return "a base digest stands in a delta, and only there";
  if (!delta && body.removed.length > 0) return "a snapshot removes nothing";
  if (up && (body.entries.length > 0 || body.removed.length > 0)) return "a report carries no entries";
  if (!up && (body.facts.length > 0 || body.escrow !== null || body.capabilities.length > 0))
    return "facts, escrow and capabilities go up only";
  if (up && body.cosignature !== null) return "a cosignature goes down only";
  if (body.facts.length > bundleLimits.facts) return "too many facts";
  if (body.entries.length > bundleLimits.entries) return "too many entries";
  if (!body.capabilities.every((text) => capability.test(text)))
    return "a capability is not lower-case letters, digits, '.', ':', '-'";
  if (!ascending(body.capabilities)) return "capabilities are not in order";
  const put = body.entries.map((entry) => entry.key);
  const dropped = body.removed.map(entryKey);
  if (!ascending(put) || !ascending(dropped)) return "entries are not in order";
  const keys = new Set(put);
  return dropped.some((key) => keys.has(key)) ? "an entry is put and removed" : null;
}

function ascending(texts: readonly string[]): boolean {
  return texts.every((text, i) => i === 0 || (texts[i - 1] as string) < text);
}

/** A list that is absent where it would be empty, so that each body has one encoding. */
function filled(map: ReadonlyMap<number, Tcbor>, key: number, max: number): readonly Tcbor[] {
  if (!map.has(key)) return [];
  const list = asList(map.get(key), `${at}.${key}`, max);
  if (list.length === 0) throw new TcborError("TCBOR_SHAPE", `${at}.${key}: an empty list is left out`);
  return list;
}

function factFromTcbor(value: Tcbor): Fact {
  const [type, payload] = asTuple(value, `${at}.5`, 2);
  return {
    type: asUint(type, `${at}.5.type`, highestFactType),
    payload: asBytesUpTo(payload, `${at}.5.payload`, bundleLimits.factBytes),
  };
}

function proofToTcbor(proof: ConsistencyProof): Tcbor {
  return [proof.serial, proof.from, proof.hashes];
}

function proofFromTcbor(value: Tcbor | undefined): ConsistencyProof {
  const [serial, from, hashes] = asTuple(value, `${at}.7`, 3);
  return {
    serial: asUint(serial, `${at}.7.serial`),
    from: asUint(from, `${at}.7.from`),
    hashes: asList(hashes, `${at}.7.hashes`, bundleLimits.proofHashes).map((hash) => asBytes(hash, `${at}.7.hashes`, 32)),
  };
}

function cosignatureFromTcbor(value: Tcbor | undefined): HeadCosignature {
  const [timeS, signature] = asTuple(value, `${at}.9`, 2);
  return { timeS: asUint(timeS, `${at}.9.time`), signature: asBytes(signature, `${at}.9.signature`, 64) };
}
