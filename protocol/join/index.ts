export { type EnrolmentCode, encodeEnrolmentCode, parseEnrolmentCode } from "./enrolment-code.ts";
export { JOIN_CODES, JoinError } from "./join-error.ts";
export { type JoinKeys, type JoinRequest, joinCodeIdOf, joinerOf, makeJoinRequest, openJoinRequest } from "./join-request.ts";
