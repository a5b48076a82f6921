export { RECOVER_CODES, RecoverError } from "./codes.ts";
export { type RecoverOptions, recover } from "./recover.ts";
