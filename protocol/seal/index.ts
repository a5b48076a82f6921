export type { SealLabel } from "./body-key.ts";
export { type EscrowContext, openEscrow, sealEscrow } from "./escrow.ts";
export { type OpenOptions, openBody, type Sealed, type SealOptions, sealBody } from "./seal.ts";
export { SEAL_CODES, SealError } from "./seal-error.ts";
