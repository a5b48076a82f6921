/** Life of a code that is used over a wire: long enough to walk to the machine, too short to be found later. */
export const codeLifeMs = 3_600_000;

/** Life of a code whose request goes by removable media: a stick may wait for the next ship. */
export const mediaCodeLifeMs = 30 * 24 * 3_600_000;

/** Codes that may be open at a time: a site's commissioning day, and a bound on what a runaway script can leave behind. */
export const maxOpenCodes = 1_000;

/** Names and addresses in one certificate. */
export const maxHosts = 16;

/** SubjectPublicKeyInfo of an uncompressed P-256 key, DER. */
export const tlsKeyBytes = 91;
