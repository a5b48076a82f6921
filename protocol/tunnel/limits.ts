/** Bytes of a node id, and of a mailbox name. */
export const nodeIdLength = 20;

/** Bytes of an item's id. */
export const bundleIdLength = 32;

/** Largest payload of a frame: small enough that a ping waits at most a minute behind one on a 9.6 kbit/s radio. */
export const maxFramePayloadBytes = 65_536;

/** Number, kind and HMAC around a payload. */
export const frameOverheadBytes = 8 + 1 + 32;

/** Largest message once a session stands. */
export const maxFrameBytes = maxFramePayloadBytes + frameOverheadBytes;

/** M1 has only fixed fields and at most 8 versions. */
export const maxHello1Bytes = 512;

/** M2 carries a member statement (16 KiB), roots of up to 64 KiB each and the revoked list; roots that do not fit come at the next dial. */
export const maxHello2Bytes = 262_144;

/** M3 carries a member statement (16 KiB) and 512 heads of at most 74 bytes. */
export const maxHello3Bytes = 65_536;

/** Roots and lists in one M2, as in a carrier. */
export const maxStatements = 33;

/** Heads in M3 or in one frame; 512 × 74 bytes stay below a frame. */
export const maxHeadsPerMessage = 512;

/** Heads of one side in a session: a gateway's 10,000 edges, three times over. */
export const maxHeads = 32_768;

/** From the first byte to the peer's key confirmation; a radio of 9.6 kbit/s needs 3 s for the bytes. */
export const handshakeMs = 20_000;

/** Silence after which a ping is sent; the second unanswered one is followed by the end: dead after three times this. */
export const pingMs = 30_000;

/** A session ends so that revocations, roots and keys are looked at again. */
export const sessionLifetimeMs = 86_400_000;
