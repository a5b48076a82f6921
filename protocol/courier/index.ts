export type { CourierItem, ItemKey, ItemOutcome } from "./item.ts";
