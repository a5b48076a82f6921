export { edgeMailroom } from "./edge-mailroom.ts";
export { type AccountNotice, NoticeBook } from "./notice-book.ts";
export { noticeOf } from "./notice-of.ts";
