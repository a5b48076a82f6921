import { FINDING_CODES, type Finding, type FindingCode } from "../../protocol/audit/index.ts";

/** What the auditor can do about each class of finding. */
export const findingHints: Readonly<Record<FindingCode, string>> = {
  EDIT: "Compare with the node's own folder and with older copies; the first copy without the finding dates the change.",
  DELETE: "Look for the missing entries in older copies and in what was sent to the log collector.",
  REORDER: "The entries are genuine; the index in each of them tells its real place.",
  TRUNCATED: "What was cut off is in the node's own folder or in newer copies, if it still is anywhere.",
  FORK: "Somebody with the node's log keys wrote a second history: revoke the node and keep both copies as evidence.",
  "EPOCH-GAP": "Ask for the missing epoch's leaf and final checkpoint; without them nothing after that index is proven.",
  "KEY-EPOCH": "The seal was made with the wrong key: treat every entry that it covers as unsealed and use an anchor.",
  "UNSEALED-TAIL": "Take the copy again after the node's next checkpoint (at most a minute, and at each start and stop).",
};

/** Exit code of the gravest of `findings`, 101 for EDIT to 108 for UNSEALED-TAIL; 0 where there are none. */
export function exitCodeOfFindings(findings: readonly Finding[]): number {
  const gravest = findings.map(({ code }) => FINDING_CODES.indexOf(code));
  return gravest.length === 0 ? 0 : 101 + Math.min(...gravest);
}
