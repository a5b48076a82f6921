/** Plaintext bytes that are sealed at once: the file is written and checked piece by piece. */
export const pieceBytes = 1024 * 1024;
/** Most bytes of a header: a sealed key of a few hundred bytes stands in it. */
export const maxHeaderBytes = 64 * 1024;
/** Most bytes of the configuration file that travels along. */
export const maxConfigBytes = 1024 * 1024;
/** Most bytes of a backup that is read: what one buffer of Node takes, and far more than any vault has. */
export const maxBackupBytes = 2 ** 31;
