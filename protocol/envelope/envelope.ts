import {
  asBytes,
  asBytesUpTo,
  asList,
  assert,
  asText,
  asTuple,
  compareBytes,
  decodeTcbor,
  encodeTcbor,
  sameBytes,
  sha256,
} from "../base/index.ts";
import { keyIdLength, type SigningKey, signatureLength, type VerifyKey } from "../keys/index.ts";
import { EnvelopeError } from "./envelope-error.ts";
import { maxEnvelopeBytes, maxRootEnvelopeBytes, maxRootSignatures } from "./limits.ts";
import { type EnvelopeType, pae, typeOfText, typeText } from "./pae.ts";

/** A signed payload as it was received; nothing in it is believed before {@link verifyEnvelope}. */
export interface Envelope {
  readonly type: EnvelopeType;
  /** The exact bytes that are signed; parsed only after the signature holds. */
  readonly payload: Uint8Array;
  /** By ascending key id, no id twice. */
  readonly signatures: readonly EnvelopeSignature[];
  /** SHA-256 of the PAE, 32 bytes: what `prev`, acknowledgements and file names use. Signatures do not enter it. */
  readonly id: Uint8Array;
  /** The envelope's own encoding. */
  readonly bytes: Uint8Array;
}

export interface EnvelopeSignature {
  /** 20 bytes. */
  readonly keyId: Uint8Array;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

const magic = "tidegate/1";
/** Longest type text that is read before it is compared. */
const maxTypeBytes = 64;

/** The id (32 bytes) that an envelope of `type` around `payload` has, whoever signs it. */
export function envelopeId(type: EnvelopeType, payload: Uint8Array): Uint8Array {
  return sha256(pae(typeText(type), payload));
}

/** Signs `payload` by every one of `keys` and encodes the envelope. One key, or up to 16 distinct ones for a root. */
export function signEnvelope(type: EnvelopeType, payload: Uint8Array, keys: readonly SigningKey[]): Uint8Array {
  return encodeEnvelope(type, payload, signaturesOf(pae(typeText(type), payload), keys));
}

/** As {@link signEnvelope}, with the envelope's id, for both of which the PAE is built once. */
export function issueEnvelope(
  type: EnvelopeType,
  payload: Uint8Array,
  keys: readonly SigningKey[],
): { envelope: Uint8Array; id: Uint8Array } {
  const message = pae(typeText(type), payload);
  const id = sha256(message);
  return { envelope: encodeEnvelope(type, payload, signaturesOf(message, keys)), id };
}

function signaturesOf(message: Uint8Array, keys: readonly SigningKey[]): EnvelopeSignature[] {
  return keys.map((key) => ({ keyId: key.keyId, signature: key.sign(message) }));
}

/** Encodes an envelope around signatures made elsewhere, as where root keys lie on different machines. */
export function encodeEnvelope(type: EnvelopeType, payload: Uint8Array, signatures: readonly EnvelopeSignature[]): Uint8Array {
  const sorted = [...signatures].sort((a, b) => compareBytes(a.keyId, b.keyId));
  assert(signatureFault(type, sorted) === null, "an envelope has its number of signatures, by distinct keys");
  const bytes = encodeTcbor([magic, typeText(type), payload, sorted.map((one) => [one.keyId, one.signature])]);
  assert(bytes.length <= maxBytesOf(type), "an envelope of ours is within its limit");
  return bytes;
}

/** Reads an envelope's outer shape. Throws ENVELOPE_TOO_LARGE, ENVELOPE_MALFORMED, ENVELOPE_TYPE; verifies no signature. */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length > maxRootEnvelopeBytes) throw tooLarge(bytes);
  const outer = readOuter(bytes);
  const type = typeOfText(outer.type);
  if (type === null) throw new EnvelopeError("ENVELOPE_TYPE", `envelope type not known: ${outer.type}`);
  if (bytes.length > maxBytesOf(type)) throw tooLarge(bytes);
  const fault = signatureFault(type, outer.signatures);
  if (fault !== null) throw new EnvelopeError("ENVELOPE_MALFORMED", fault);
  const { payload, signatures } = outer;
  return { type, payload, signatures, id: envelopeId(type, payload), bytes };
}

/** Throws ENVELOPE_TYPE where `envelope` is not of `type`. */
export function expectType(envelope: Envelope, type: EnvelopeType): void {
  if (envelope.type !== type) throw new EnvelopeError("ENVELOPE_TYPE", `expected ${type}, got ${envelope.type}`);
}

/** Throws ENVELOPE_BAD_SIGNATURE unless `key` signed exactly this type and these payload bytes. */
export function verifyEnvelope(envelope: Envelope, key: VerifyKey): void {
  const found = envelope.signatures.find((one) => sameBytes(one.keyId, key.keyId));
  if (found === undefined) throw new EnvelopeError("ENVELOPE_BAD_SIGNATURE", "not signed by the key that should have signed");
  if (!key.verify(pae(typeText(envelope.type), envelope.payload), found.signature)) {
    throw new EnvelopeError("ENVELOPE_BAD_SIGNATURE", "signature does not hold");
  }
}

function readOuter(bytes: Uint8Array): { type: string; payload: Uint8Array; signatures: EnvelopeSignature[] } {
  try {
    const [first, type, payload, signatures] = asTuple(decodeTcbor(bytes), "envelope", 4);
    if (first !== magic) throw new EnvelopeError("ENVELOPE_MALFORMED", "not a tidegate/1 envelope");
    return {
      type: asText(type, "envelope.type", maxTypeBytes),
      payload: asBytesUpTo(payload, "envelope.payload", maxRootEnvelopeBytes),
      signatures: asList(signatures, "envelope.signatures", maxRootSignatures).map((one) => {
        const [keyId, signature] = asTuple(one, "envelope.signatures", 2);
        return {
          keyId: asBytes(keyId, "envelope.keyId", keyIdLength),
          signature: asBytes(signature, "envelope.signature", signatureLength),
        };
      }),
    };
  } catch (cause) {
    if (cause instanceof EnvelopeError) throw cause;
    throw new EnvelopeError("ENVELOPE_MALFORMED", "not an envelope", cause);
  }
}

/** Null where number and order are right; exactly one order of signatures is accepted, so an envelope has one encoding. */
function signatureFault(type: EnvelopeType, signatures: readonly EnvelopeSignature[]): string | null {
  const most = type === "root" ? maxRootSignatures : 1;
  if (signatures.length < 1 || signatures.length > most) return `${signatures.length} signatures`;
  for (const [index, one] of signatures.entries()) {
    const previous = signatures[index - 1];
    if (previous !== undefined && compareBytes(previous.keyId, one.keyId) >= 0) return "signatures not by ascending key id";
  }
  return null;
}

function maxBytesOf(type: EnvelopeType): number {
  return type === "root" ? maxRootEnvelopeBytes : maxEnvelopeBytes;
}

function tooLarge(bytes: Uint8Array): EnvelopeError {
  return new EnvelopeError("ENVELOPE_TOO_LARGE", `envelope of ${bytes.length} bytes`);
}
