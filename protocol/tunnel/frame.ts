import { assert, sameSecret } from "../base/index.ts";
import { TunnelError } from "./errors.ts";
import { FrameMac } from "./frame-mac.ts";
import { frameOverheadBytes, maxFrameBytes, maxFramePayloadBytes } from "./limits.ts";

/** Kinds of frames; 8 is reserved for hop receipts. */
export const frameKind = { itemPart: 1, hopAck: 2, credit: 3, ping: 4, pong: 5, heads: 6, close: 7 } as const;

export type FrameKind = (typeof frameKind)[keyof typeof frameKind];

/** A frame whose number and HMAC hold. `payload` is a view of the received bytes. */
export interface Frame {
  readonly kind: number;
  readonly payload: Uint8Array;
}

const headBytes = 9;
const macBytes = 32;

/** Numbers and authenticates the frames of one direction. */
export class FrameWriter {
  readonly #mac: FrameMac;
  #next = 0;

  /** `key` has 32 bytes and is copied. */
  constructor(key: Uint8Array) {
    this.#mac = new FrameMac(key);
  }

  /** Overwrites the key: nothing is written any more. */
  wipe(): void {
    this.#mac.wipe();
  }

  /** `u64be n ‖ u8 kind ‖ payload ‖ HMAC-SHA-256`; the payload is given in parts so that it is copied once. */
  write(kind: FrameKind, ...parts: readonly Uint8Array[]): Uint8Array {
    let length = 0;
    for (const part of parts) length += part.length;
    assert(length <= maxFramePayloadBytes, "a frame's payload is within its limit");
    const frame = Buffer.allocUnsafe(length + frameOverheadBytes);
    frame.writeUInt32BE(Math.floor(this.#next / 0x1_0000_0000), 0);
    frame.writeUInt32BE(this.#next >>> 0, 4);
    frame[8] = kind;
    let at = headBytes;
    for (const part of parts) {
      frame.set(part, at);
      at += part.length;
    }
    this.#mac.write(frame, at, frame, at);
    this.#next += 1;
    return frame;
  }
}

/** Checks the frames of one direction: each exactly once, in order. */
export class FrameReader {
  readonly #mac: FrameMac;
  readonly #expected = Buffer.allocUnsafeSlow(macBytes);
  #next = 0;

  /** `key` has 32 bytes and is copied. */
  constructor(key: Uint8Array) {
    this.#mac = new FrameMac(key);
  }

  /** Overwrites the key: nothing is read any more. */
  wipe(): void {
    this.#mac.wipe();
  }

  /** Throws TUNNEL_MALFORMED, TUNNEL_TOO_LARGE, TUNNEL_FRAME_FORGED, TUNNEL_FRAME_ORDER. */
  read(bytes: Uint8Array): Frame {
    if (bytes.length < frameOverheadBytes) throw new TunnelError("TUNNEL_MALFORMED", "shorter than a frame");
    if (bytes.length > maxFrameBytes) throw new TunnelError("TUNNEL_TOO_LARGE", `frame of ${bytes.length} bytes`);
    const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const end = frame.length - macBytes;
    this.#mac.write(frame, end, this.#expected, 0);
    if (!sameSecret(this.#expected, frame.subarray(end))) {
      throw new TunnelError("TUNNEL_FRAME_FORGED", "frame authentication does not hold");
    }
    const number = frame.readUInt32BE(0) * 0x1_0000_0000 + frame.readUInt32BE(4);
    if (number !== this.#next) throw new TunnelError("TUNNEL_FRAME_ORDER", `frame ${number} where ${this.#next} comes next`);
    this.#next += 1;
    return { kind: frame[8] ?? 0, payload: frame.subarray(headBytes, end) };
  }
}
