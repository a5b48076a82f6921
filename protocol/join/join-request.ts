import { createHmac, hkdfSync } from "node:crypto";
import {
  asBytes,
  assert,
  asText,
  asTuple,
  asUint,
  decodeTcbor,
  encodeTcbor,
  orNull,
  sameBytes,
  sameSecret,
  type Tcbor,
  TcborError,
  toHex,
  utf8,
} from "../base/index.ts";
import { decodeEnvelope, type Envelope, expectType, signEnvelope, verifyEnvelope } from "../envelope/index.ts";
import {
  importSealingPublicKey,
  importVerifyKey,
  keyAlgorithm,
  keyIdLength,
  keyIdOf,
  type SigningKey,
  xWingLength,
} from "../keys/index.ts";
import { type NodeRole, nodeRole } from "../trust/index.ts";
import type { EnrolmentCode } from "./enrolment-code.ts";
import { JoinError } from "./join-error.ts";

/** The keys that a node brings, and what it asks for. */
export interface JoinKeys {
  /** Ed25519, 32 bytes. Its key id becomes the node's id. */
  readonly signKey: Uint8Array;
  /** X-Wing, 1,216 bytes; the answer is sealed to it. */
  readonly sealKey: Uint8Array;
  /** SHA-256 of the TLS key's SPKI DER, 32 bytes. */
  readonly tlsKeyHash: Uint8Array;
  /** Ed25519. */
  readonly logKey: Uint8Array;
  /** Ed25519, audit epoch 0. */
  readonly epochKey: Uint8Array;
  /** 16 bytes that the answer must name. */
  readonly nonce: Uint8Array;
  /** Id of the node that this one takes the place of, 20 bytes. */
  readonly replaces: Uint8Array | null;
}

/** A join request as it stands in its envelope. */
export interface JoinRequest extends JoinKeys {
  /** The envelope's id: a request sent again has the same. */
  readonly id: Uint8Array;
  readonly nodeId: Uint8Array;
  readonly rootId: Uint8Array;
  /** 16 bytes. */
  readonly codeId: Uint8Array;
  readonly name: string;
  readonly role: NodeRole;
}

/** Makes a join request: a `join` envelope signed by the new key, authenticated by the code's secret. */
export function makeJoinRequest(
  options: Omit<JoinKeys, "signKey"> & { readonly code: EnrolmentCode; readonly signing: SigningKey },
): Uint8Array {
  const { code, signing } = options;
  const fields: Tcbor[] = [
    code.rootId,
    code.codeId,
    code.name,
    code.role,
    signing.publicKey,
    options.sealKey,
    options.tlsKeyHash,
    options.logKey,
    options.epochKey,
    options.nonce,
    options.replaces,
  ];
  return signEnvelope("join", encodeTcbor([...fields, macOf(fields, code)]), [signing]);
}

/** The code (16 bytes) that a request names, so that its secret can be looked up; nothing is verified. Throws as {@link openJoinRequest}. */
export function joinCodeIdOf(bytes: Uint8Array): Uint8Array {
  return readRequest(decodeEnvelope(bytes)).request.codeId;
}

/** Who asks, and where the answer comes, for one who hands the request on. */
export interface AnswerPlace {
  /** Key id (20 bytes) of the key that signed the request. */
  readonly joiner: Uint8Array;
  /** Node that the answer is for: the one whose keys change, else the joiner; 20 bytes. */
  readonly nodeId: Uint8Array;
  /** Key id (20 bytes) of the sealing key that the answer is sealed to. */
  readonly sealKeyId: Uint8Array;
}

/** The place of the answer to this request: its signature holds, and that is all. Throws as {@link openJoinRequest}. */
export function answerPlaceOf(bytes: Uint8Array): AnswerPlace {
  const envelope = decodeEnvelope(bytes);
  const { request } = readRequest(envelope);
  verifyEnvelope(envelope, importVerifyKey(request.signKey));
  return {
    joiner: request.nodeId,
    nodeId: request.replaces ?? request.nodeId,
    sealKeyId: keyIdOf(keyAlgorithm.xWing, request.sealKey),
  };
}

/**
 * Opens a join request with the code that it names; the caller judges whether the code may still be used. Throws ENVELOPE_*, KEY_*,
 * JOIN_MALFORMED, JOIN_MAC, JOIN_ROOT, JOIN_NOT_AS_ENROLLED.
 */
export function openJoinRequest(bytes: Uint8Array, code: Omit<EnrolmentCode, "rootVersion" | "address">): JoinRequest {
  const envelope = decodeEnvelope(bytes);
  const { request, fields, mac } = readRequest(envelope);
  assert(sameBytes(request.codeId, code.codeId), "a join request is opened with the code that it names");
  if (!sameSecret(macOf(fields, code), mac)) {
    throw new JoinError("JOIN_MAC", "join request was not made with this code, or was changed on the way");
  }
  verifyEnvelope(envelope, importVerifyKey(request.signKey));
  for (const raw of [request.logKey, request.epochKey]) importVerifyKey(raw);
  importSealingPublicKey(request.sealKey);
  if (!sameBytes(request.rootId, code.rootId)) throw new JoinError("JOIN_ROOT", "join request for another root");
  if (request.name !== code.name || request.role !== code.role) {
    throw new JoinError("JOIN_NOT_AS_ENROLLED", "name or role differ from what was enrolled");
  }
  return request;
}

interface ReadRequest {
  readonly request: JoinRequest;
  /** The array without its MAC. */
  readonly fields: readonly Tcbor[];
  readonly mac: Uint8Array;
}

function readRequest(envelope: Envelope): ReadRequest {
  expectType(envelope, "join");
  try {
    const fields = asTuple(decodeTcbor(envelope.payload), "join", 12);
    const signKey = asBytes(fields[4], "join.signKey", 32);
    const request = {
      id: envelope.id,
      nodeId: keyIdOf(keyAlgorithm.ed25519, signKey),
      rootId: asBytes(fields[0], "join.rootId", 32),
      codeId: asBytes(fields[1], "join.codeId", 16),
      name: asText(fields[2], "join.name", 63),
      role: asUint(fields[3], "join.role", nodeRole.edge) as NodeRole,
      signKey,
      sealKey: asBytes(fields[5], "join.sealKey", xWingLength.publicKey),
      tlsKeyHash: asBytes(fields[6], "join.tlsKeyHash", 32),
      logKey: asBytes(fields[7], "join.logKey", 32),
      epochKey: asBytes(fields[8], "join.epochKey", 32),
      nonce: asBytes(fields[9], "join.nonce", 16),
      replaces: orNull(fields[10], (one) => asBytes(one, "join.replaces", keyIdLength)),
    };
    requireDistinct([request.signKey, request.logKey, request.epochKey]);
    return { request, fields: fields.slice(0, 11), mac: asBytes(fields[11], "join.mac", 32) };
  } catch (cause) {
    if (cause instanceof TcborError) throw new JoinError("JOIN_MALFORMED", "not a join request", { cause });
    throw cause;
  }
}

/** One key for two purposes would let a signature made for one be shown as the other. */
function requireDistinct(keys: readonly Uint8Array[]): void {
  if (new Set(keys.map(toHex)).size !== keys.length) throw new JoinError("JOIN_MALFORMED", "one key for two purposes");
}

/** HMAC-SHA-256 over the request without its MAC, under a key that only the two ends of the enrolment code can make. */
function macOf(fields: readonly Tcbor[], code: Pick<EnrolmentCode, "codeId" | "secret">): Uint8Array {
  const key = code.secret.use((secret) => Buffer.from(hkdfSync("sha256", secret, code.codeId, utf8("tidegate/1 join"), 32)));
  const mac = createHmac("sha256", key).update(encodeTcbor(fields)).digest();
  key.fill(0);
  return mac;
}
