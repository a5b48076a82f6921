export { RECOVER_CODES, RecoverError } from "./codes.ts";
export { giveUpZone, raiseEpoch, recoverEscrow } from "./escrow.ts";
export { type RecoverOptions, recover } from "./recover.ts";
