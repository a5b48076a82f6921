export { type EnrolmentCode, encodeEnrolmentCode, parseEnrolmentCode } from "./enrolment-code.ts";
export { JOIN_CODES, JoinError } from "./join-error.ts";
export {
  type AnswerPlace,
  answerPlaceOf,
  type JoinKeys,
  type JoinRequest,
  joinCodeIdOf,
  makeJoinRequest,
  openJoinRequest,
} from "./join-request.ts";
