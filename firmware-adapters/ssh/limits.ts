/** Bytes that a device may send in one session, banner and key exchange included: a whole change takes less than 20 KB. */
export const maxReceivedBytes = 1_048_576;

/** Characters of a command's output: a dialogue takes a few hundred; more is a device that says something else. */
export const maxOutputLength = 32_768;

/** Characters of one line that is compared with patterns. */
export const maxLineLength = 1_024;
