export { type LiveValue, liveValue } from "./live-value.ts";
export { NoticeDesk } from "./notice-desk.ts";
export { dropTold, readAllTold, type ToldRow } from "./told-rows.ts";
