import {
  asBoolean,
  asBytes,
  asBytesUpTo,
  asList,
  assert,
  asUint,
  orNull,
  type Tcbor,
  TcborError,
  utf8,
} from "../base/index.ts";
import { indexFromTcbor, indexToTcbor } from "../bundle/index.ts";
import type { Codec } from "./codec.ts";
import {
  type ApplicationContent,
  type Content,
  type ContentKind,
  credentialRoles,
  orderActions,
  orderCauses,
  stalePolicies,
} from "./content.ts";
import { fieldsFromTcbor, fieldsToTcbor } from "./fields.ts";
import { contentLimits } from "./limits.ts";
import { parsePattern } from "./pattern.ts";
import { asName, asOneOf, inTcbor } from "./shapes.ts";
import { accountCodec, deviceCodec } from "./target-codec.ts";

const highestUid = 0xffff_fffe;
const textDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const application: Codec<ApplicationContent> = {
  length: 6,
  encode: (c) => [c.name, c.tokenHash, c.uid, c.grants, c.disabled, c.person],
  decode: ([name, tokenHash, uid, grants, disabled, person]) => ({
    kind: "application",
    name: asName(name, "application.name"),
    tokenHash: orNull(tokenHash, (hash) => asBytes(hash, "application.tokenHash", 32)),
    uid: orNull(uid, (id) => asUint(id, "application.uid", highestUid)),
    grants: asList(grants, "application.grants", contentLimits.grants).map((g) =>
      inTcbor(g, "application.grants", parsePattern),
    ),
    disabled: asBoolean(disabled, "application.disabled"),
    person: asBoolean(person, "application.person"),
  }),
};

/** One codec a kind; the mapped type makes a missing one a type error. */
const codecs: { readonly [K in ContentKind]: Codec<Extract<Content, { kind: K }>> } = {
  device: deviceCodec,
  account: accountCodec,
  application,
  credential: {
    length: 5,
    encode: (c) => [
      c.accountId,
      indexToTcbor(c.index),
      credentialRoles.indexOf(c.role),
      fieldsToTcbor(c.fields),
      c.fingerprint,
    ],
    decode: ([accountId, index, role, fields, fingerprint]) => ({
      kind: "credential",
      accountId: asBytes(accountId, "credential.accountId", 16),
      index: indexFromTcbor(index, "credential.index"),
      role: asOneOf(role, "credential.role", credentialRoles),
      fields: fieldsFromTcbor(fields, "credential.fields"),
      fingerprint: asBytes(fingerprint, "credential.fingerprint", 32),
    }),
  },
  order: {
    length: 4,
    encode: (c) => [c.accountId, orderActions.indexOf(c.action), orderCauses.indexOf(c.cause), c.now],
    decode: ([accountId, action, cause, now]) => ({
      kind: "order",
      accountId: asBytes(accountId, "order.accountId", 16),
      action: asOneOf(action, "order.action", orderActions),
      cause: asOneOf(cause, "order.cause", orderCauses),
      now: asBoolean(now, "order.now"),
    }),
  },
  tombstone: {
    length: 3,
    encode: (c) => [c.type, c.id, indexToTcbor(c.upTo)],
    decode: ([type, id, upTo]) => ({
      kind: "tombstone",
      type: asUint(type, "tombstone.type", 0xffff),
      id: asBytes(id, "tombstone.id", 16),
      upTo: indexFromTcbor(upTo, "tombstone.upTo"),
    }),
  },
  conduit: {
    length: 2,
    encode: (c) => [c.nodeId, c.name],
    decode: ([nodeId, name]) => ({
      kind: "conduit",
      nodeId: asBytes(nodeId, "conduit.nodeId", 20),
      name: asName(name, "conduit.name"),
    }),
  },
  certificate: {
    length: 1,
    encode: (c) => [c.chain],
    decode: ([chain]) => ({ kind: "certificate", chain: chainFromTcbor(chain) }),
  },
  lease: {
    length: 2,
    encode: (c) => [c.applicationId, c.pattern],
    decode: ([applicationId, pattern]) => ({
      kind: "lease",
      applicationId: asBytes(applicationId, "lease.applicationId", 16),
      pattern: inTcbor(pattern, "lease.pattern", parsePattern),
    }),
  },
  freshness: {
    length: 5,
    encode: (c) => [c.pattern, c.staleAfterS, stalePolicies.indexOf(c.whenStale), c.ttlS, c.memoryOnly],
    decode: ([pattern, staleAfter, whenStale, ttl, memoryOnly]) => ({
      kind: "freshness",
      pattern: inTcbor(pattern, "freshness.pattern", parsePattern),
      staleAfterS: orNull(staleAfter, (value) => asSilence(value, "freshness.staleAfterS")),
      whenStale: asOneOf(whenStale, "freshness.whenStale", stalePolicies),
      ttlS: orNull(ttl, (value) => asSilence(value, "freshness.ttlS")),
      memoryOnly: asBoolean(memoryOnly, "freshness.memoryOnly"),
    }),
  },
  model: {
    length: 2,
    // A byte string: TCBOR text has no line breaks.
    encode: (c) => [c.name, utf8(c.yaml)],
    decode: ([name, yaml]) => ({ kind: "model", name: asName(name, "model.name"), yaml: yamlFromTcbor(yaml) }),
  },
};

/** Number of items in the tuple of this kind. */
export function tupleLength(kind: ContentKind): number {
  return codecs[kind].length;
}

/** The content's tuple, without its type. */
export function contentToTuple(content: Content): readonly Tcbor[] {
  const codec = codecs[content.kind] as Codec<Content>;
  const tuple = codec.encode(content);
  assert(tuple.length === codec.length, "each codec writes its own length");
  return tuple;
}

/** Inverse of {@link contentToTuple}; throws TCBOR_SHAPE. */
export function contentFromTuple(kind: ContentKind, tuple: readonly Tcbor[]): Content {
  return codecs[kind].decode(tuple);
}

/** Seconds above zero. */
function asSilence(value: Tcbor, at: string): number {
  const seconds = asUint(value, at, contentLimits.silenceS);
  if (seconds === 0) throw new TcborError("TCBOR_SHAPE", `${at}: above zero`);
  return seconds;
}

function chainFromTcbor(value: Tcbor | undefined): Uint8Array[] {
  const chain = asList(value, "certificate.chain", contentLimits.certificates);
  if (chain.length === 0) throw new TcborError("TCBOR_SHAPE", "certificate.chain: at least the node's own");
  return chain.map((one) => asBytesUpTo(one, "certificate.chain", contentLimits.certificateBytes));
}

function yamlFromTcbor(value: Tcbor | undefined): string {
  const bytes = asBytesUpTo(value, "model.yaml", contentLimits.modelBytes);
  try {
    return textDecoder.decode(bytes);
  } catch {
    throw new TcborError("TCBOR_SHAPE", "model.yaml: not UTF-8");
  }
}
