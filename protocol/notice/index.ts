export { NOTICE_CODES, NoticeError } from "./errors.ts";
export { compareLeaves, type Notice, type NoticeState, type OpenedNotice, openNotice, signNotice } from "./notice.ts";
