/** Bytes of an envelope that is not a root: a bundle's header is about 1.7 KB, a revoked list is the largest statement. */
export const maxEnvelopeBytes = 16 * 1024;

/** Bytes of a root envelope: several sealing keys of 1,216 bytes and up to sixteen signatures. */
export const maxRootEnvelopeBytes = 64 * 1024;

/** Signatures on a root: thresholds of the old and of the new keys together. Everything else bears exactly one. */
export const maxRootSignatures = 16;

/** Statements beside an envelope: 32 roots, then members and the revoked list. */
export const maxCarrierStatements = 64;

/** Bytes of a sealed body: 100,000 entries of a few hundred bytes. */
export const maxBodyBytes = 64 * 1024 * 1024;

/** Bytes of a carrier: a full body, a full set of statements and the heads between them. */
export const maxCarrierBytes = maxBodyBytes + maxCarrierStatements * maxRootEnvelopeBytes + maxEnvelopeBytes + 1024;

/** Values in a carrier, arrays included: it is read before anything of it is verified, so nothing else is made room for. */
export const maxCarrierValues = 256;
