import { paddingBytes } from "./limits.ts";

/** `plaintext` ‖ 80 ‖ 00… up to the next multiple of 256; at least one byte is added. */
export function pad(plaintext: Uint8Array): Uint8Array {
  const out = new Uint8Array((Math.floor(plaintext.length / paddingBytes) + 1) * paddingBytes);
  out.set(plaintext);
  out[plaintext.length] = 0x80;
  return out;
}

/** A view of `padded` without its padding, or null where the padding is not the one that {@link pad} makes. */
export function unpad(padded: Uint8Array): Uint8Array | null {
  if (padded.length === 0 || padded.length % paddingBytes !== 0) return null;
  let end = padded.length - 1;
  while (end > padded.length - paddingBytes && padded[end] === 0) end -= 1;
  return padded[end] === 0x80 ? padded.subarray(0, end) : null;
}
