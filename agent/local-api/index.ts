export { ApplicationList, applicationTypes } from "./application-list.ts";
export type * from "./contracts.ts";
export { API_CODES, ApiError, memoryOnlyGone } from "./errors.ts";
export type { ApiTls, OpenListener } from "./listeners.ts";
export { type LocalApi, type LocalApiOptions, openLocalApi } from "./local-api.ts";
export { acceptedLogin, deniedLogin, readLeaf } from "./read-leaf.ts";
