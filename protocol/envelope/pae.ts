import { concat, utf8 } from "../base/index.ts";

/** Everything that an envelope may hold. */
const envelopeTypes = [
  "root",
  "member",
  "revoked",
  "join",
  "bundle",
  "report",
  "notice",
  "approval",
  "hop-receipt",
  "manifest",
  "epoch",
  "block",
] as const;

export type EnvelopeType = (typeof envelopeTypes)[number];

const before = "application/vnd.tidegate.";
const after = ".v1+cbor";

/** The type as it is signed: a media type that carries the format's version. */
export function typeText(type: EnvelopeType): string {
  return `${before}${type}${after}`;
}

/** The type named by a signed type text, or null where this version does not know it. */
export function typeOfText(text: string): EnvelopeType | null {
  return envelopeTypes.find((type) => typeText(type) === text) ?? null;
}

/**
 * DSSE pre-authentication encoding of `payload` under the full type string `type`: what is signed. Lengths are in bytes, so no two
 * pairs share an encoding. Envelopes use {@link typeText}; the tunnel's handshake signs under types of its own.
 */
export function pae(type: string, payload: Uint8Array): Uint8Array {
  const name = utf8(type);
  return concat(utf8(`DSSEv1 ${name.length} `), name, utf8(` ${payload.length} `), payload);
}
