import { fromHex, toHex } from "../base/index.ts";

const zeros = "00".repeat(30);
const ones = "ff".repeat(30);
const orderEightLow = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc";
const orderEightHigh = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03";

/**
 * Every 32-byte string that decodes to one of the eight points of small order of edwards25519, canonical or not
 * (SPEC.md section 3.2 lists them; a test computes them). Under such a key a signature of anything can be made by anybody.
 */
export const smallOrderEncodings: readonly string[] = [
  `01${zeros}00`,
  `01${zeros}80`,
  `ec${ones}7f`,
  `ec${ones}ff`,
  `00${zeros}00`,
  `00${zeros}80`,
  `${orderEightLow}05`,
  `${orderEightLow}85`,
  `${orderEightHigh}7a`,
  `${orderEightHigh}fa`,
  `ed${ones}7f`,
  `ed${ones}ff`,
  `ee${ones}7f`,
  `ee${ones}ff`,
];

const refused = new Set(smallOrderEncodings);
const prime = fromHex(`ed${ones}7f`) as Uint8Array;

/** True where `publicKey` (32 bytes) is one of the fourteen, or names its y coordinate with a number not below 2^255 - 19. */
export function isWeakEd25519(publicKey: Uint8Array): boolean {
  return refused.has(toHex(publicKey)) || !isBelowPrime(publicKey);
}

/** Compares y, little endian without the sign bit, with the field's prime. */
function isBelowPrime(publicKey: Uint8Array): boolean {
  for (let i = 31; i >= 0; i -= 1) {
    const digit = i === 31 ? (publicKey[i] ?? 0) & 0x7f : (publicKey[i] ?? 0);
    const limit = prime[i] ?? 0;
    if (digit !== limit) return digit < limit;
  }
  return false;
}
