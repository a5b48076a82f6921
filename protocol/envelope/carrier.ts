import { asBytesUpTo, asList, assert, asTuple, decodeTcbor, encodeTcbor } from "../base/index.ts";
import { EnvelopeError } from "./envelope-error.ts";
import {
  maxBodyBytes,
  maxCarrierBytes,
  maxCarrierStatements,
  maxCarrierValues,
  maxEnvelopeBytes,
  maxRootEnvelopeBytes,
} from "./limits.ts";

/** What travels: an envelope with its sealed body and the statements that a receiver may need to judge it. Unsigned; parts prove themselves. */
export interface Carrier {
  /** Root, member and revoked envelopes, each in its own encoding. */
  readonly statements: readonly Uint8Array[];
  /** The envelope itself. */
  readonly envelope: Uint8Array;
  /** The sealed body; empty where the envelope has none. */
  readonly body: Uint8Array;
}

const magic = "tidegate-carrier/1";

/** Encodes a carrier; one over the limits is a bug of ours. */
export function encodeCarrier(carrier: Carrier): Uint8Array {
  assert(carrier.statements.length <= maxCarrierStatements, "a carrier of ours has few enough statements");
  assert(carrier.body.length <= maxBodyBytes, "a carrier of ours has a body within the limit");
  return encodeTcbor([magic, carrier.statements, carrier.envelope, carrier.body]);
}

/** Reads a carrier's shape; its parts stay unread. Throws CARRIER_TOO_LARGE, CARRIER_MALFORMED. */
export function decodeCarrier(bytes: Uint8Array): Carrier {
  if (bytes.length > maxCarrierBytes) throw tooLarge(`carrier of ${bytes.length} bytes`);
  try {
    const [first, statements, envelope, body] = asTuple(decodeTcbor(bytes, maxCarrierValues), "carrier", 4);
    if (first !== magic) throw new EnvelopeError("CARRIER_MALFORMED", "not a tidegate-carrier/1");
    if (Array.isArray(statements) && statements.length > maxCarrierStatements) {
      throw tooLarge(`${statements.length} statements in one carrier`);
    }
    if (body instanceof Uint8Array && body.length > maxBodyBytes) throw tooLarge(`body of ${body.length} bytes`);
    return {
      statements: asList(statements, "carrier.statements", maxCarrierStatements).map((one) =>
        asBytesUpTo(one, "carrier.statements", maxRootEnvelopeBytes),
      ),
      envelope: asBytesUpTo(envelope, "carrier.envelope", maxEnvelopeBytes),
      body: asBytesUpTo(body, "carrier.body", maxBodyBytes),
    };
  } catch (cause) {
    if (cause instanceof EnvelopeError) throw cause;
    throw new EnvelopeError("CARRIER_MALFORMED", "not a carrier", cause);
  }
}

function tooLarge(what: string): EnvelopeError {
  return new EnvelopeError("CARRIER_TOO_LARGE", what);
}
