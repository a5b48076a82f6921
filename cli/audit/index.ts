export { type ArchiveOptions, archiveLog } from "./archive.ts";
export { showCheckpoint } from "./checkpoint.ts";
export { type ExportOptions, exportLog } from "./export.ts";
export { type TailOptions, tailLog } from "./tail.ts";
export { type VerifyOptions, verifyLogs } from "./verify.ts";
