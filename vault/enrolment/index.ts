export { answerJoin, type JoinAnswered } from "./answer-join.ts";
export { ENROL_CODES, EnrolError } from "./codes.ts";
export { type EnrolmentInput, type IssuedCode, issueCode, issueRekeyCode } from "./issue-code.ts";
export { type Exposure, exposureOf, revokeNode } from "./revoke-node.ts";
