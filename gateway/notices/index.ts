export { type LiveValue, liveValue } from "./live-value.ts";
export { NoticeDesk } from "./notice-desk.ts";
export { dropTold, readTold } from "./told-rows.ts";
