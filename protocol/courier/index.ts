export { Courier, type CourierEffect } from "./courier.ts";
export { COURIER_CODES, CourierError } from "./errors.ts";
export type { CourierItem, ItemKey, ItemOutcome } from "./item.ts";
export { practicalItemBytes } from "./limits.ts";
export type { SendingRequest } from "./sending.ts";
