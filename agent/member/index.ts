export { type Decommissioned, type DecommissionOptions, decommission } from "./decommission.ts";
export { MEMBER_CODES, MemberError } from "./errors.ts";
export { followSpace, gaugeSpace, spaceCheck } from "./follow-space.ts";
export { forwardMember } from "./forward-member.ts";
export { apiListeners, openMemberApi } from "./open-api.ts";
export { openMemberFolder } from "./open-folder.ts";
