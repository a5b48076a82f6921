export { apiListeners, openMemberApi } from "./open-api.ts";
export { openMemberFolder } from "./open-folder.ts";
