import { TidegateError } from "../base/index.ts";

export const MANIFEST_CODES = {
  /** A manifest is not of its format. */
  MANIFEST_MALFORMED: { fault: "peer", retryable: false },
  /** A manifest, or what it lists, is beyond the limits. */
  MANIFEST_TOO_LARGE: { fault: "peer", retryable: false },
  /** The list of files is not the one that was signed. */
  MANIFEST_LIST: { fault: "peer", retryable: false },
  /** A manifest stands in the folder of another node, or lists what its writer may not write. */
  MANIFEST_WRITER: { fault: "peer", retryable: false },
} as const;

/** A manifest that is refused. */
export class ManifestError extends TidegateError<keyof typeof MANIFEST_CODES> {
  constructor(code: keyof typeof MANIFEST_CODES, message: string, cause?: unknown) {
    super(MANIFEST_CODES, code, message, { cause });
  }
}
