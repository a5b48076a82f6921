import { hintOf } from "../frame/index.ts";

/** What to do where a folder or an item of a medium is refused with a code that means something else elsewhere. */
const hints: Readonly<Record<string, string>> = {
  ENROL_CODE_EXPIRED: "Give out a new code with 'tidegate vault enroll NAME --media', and join with it by the same medium.",
  STREAM_NONCE_REQUIRED:
    "The node waits for a snapshot that answers its own word: carry a medium from it to the vault first ('tidegate media write').",
  TRUST_OTHER_VAULT: "It was written by a node of another vault.",
  TRUST_REVOKED: "Its writer was revoked or replaced.",
};

/** The hint for a code of a medium as a line, or no line. */
export function hintLines(code: string): string[] {
  const hint = hints[code] ?? hintOf(code);
  return hint === undefined ? [] : [`  hint: ${hint}`];
}
