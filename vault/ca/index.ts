export { Authority, createAuthority } from "./authority.ts";
export { CA_CODES, CaError } from "./codes.ts";
