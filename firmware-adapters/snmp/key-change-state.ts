import { z } from "zod";
import { type UsmProtocols, usmCiphers, usmHashes } from "./usm-keys.ts";

/** Everything that one key change sends, fixed before its first packet and repeated byte for byte. */
export interface KeyChangeState {
  readonly engineId: Uint8Array;
  /** The value of usmUserSpinLock that the change takes; once the agent's has moved on, this change can never apply. */
  readonly spinLock: number;
  /** The user whose row and keys the change begins with; null where the account changes its own keys. */
  readonly clonedFrom: string | null;
  /** KeyChange values: random, then delta. */
  readonly auth: Uint8Array;
  readonly priv: Uint8Array;
  /** Goes into usmUserPublic, so that a lost answer can be told from a lost request. */
  readonly marker: Uint8Array;
}

const hex = z
  .string()
  .regex(/^([0-9a-f]{2})*$/)
  .transform((text) => new Uint8Array(Buffer.from(text, "hex")));

/** usmUserName holds no longer one (RFC 3414, SnmpAdminString of 32). */
const maxUserLength = 32;

const schema = z.strictObject({
  version: z.literal(1),
  engineId: hex,
  spinLock: z.int().min(0).max(0x7fffffff),
  clonedFrom: z.string().max(maxUserLength).nullable(),
  auth: hex,
  priv: hex,
  marker: hex,
});

/** UTF-8 JSON with the fields in a fixed order. */
export function encodeKeyChangeState(state: KeyChangeState): Uint8Array {
  const { engineId, spinLock, clonedFrom, auth, priv, marker } = state;
  const text = JSON.stringify({
    version: 1,
    engineId: toHex(engineId),
    spinLock,
    clonedFrom,
    auth: toHex(auth),
    priv: toHex(priv),
    marker: toHex(marker),
  });
  return new Uint8Array(Buffer.from(text, "utf8"));
}

/** The state, or null where the bytes are none or their lengths are not those of the user's protocols. */
export function decodeKeyChangeState(bytes: Uint8Array, protocols: UsmProtocols): KeyChangeState | null {
  const parsed = schema.safeParse(parseJson(bytes));
  if (!parsed.success) return null;
  const { engineId, spinLock, clonedFrom, auth, priv, marker } = parsed.data;
  const fits =
    auth.length === 2 * usmHashes[protocols.hash].length &&
    priv.length === 2 * usmCiphers[protocols.cipher] &&
    marker.length === markerLength &&
    engineId.length >= 5 &&
    engineId.length <= 32;
  return fits ? { engineId, spinLock, clonedFrom, auth, priv, marker } : null;
}

/** Bytes of the marker: usmUserPublic holds up to 32, and 16 random ones never repeat. */
export const markerLength = 16;

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return null;
  }
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
