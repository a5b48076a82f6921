export { archiveProof, heldBundleHashes } from "./archive-proof.ts";
export { decodeArchiveState, freeSomeLater, noteArchivedLater } from "./archive-state.ts";
export { AuditLog, type AuditLogOptions, type LastStop, type LeafRef, openAuditLog } from "./audit-log.ts";
export { type AuditPage, type AuditRouteSource, auditRoute } from "./audit-route.ts";
export { type CopyName, copyNameOf } from "./copy-name.ts";
export { AUDIT_LOG_CODES, AuditLogError } from "./errors.ts";
export { type ExportedFile, exportedFiles, type LogToExport } from "./export-files.ts";
export { findArchives } from "./find-archives.ts";
export { type FoldedEvent, FoldedLog } from "./folded-log.ts";
export { decodeHead, encodeHead } from "./head-codec.ts";
export { checkpointEveryMs, epochEveryMs, maxNotedReads, maxNotedRefusals, readWindowMs } from "./limits.ts";
export { type ArchiveSource, wholeBundles } from "./log-archive.ts";
export { checkpointOf, epochChangeOf, type LogContext, leavesAfter } from "./log-context.ts";
export { findLogFolders, type LogFolder, openLogFolder } from "./log-folder.ts";
export { AuditMirror, exportsFolder, logFolderNames, type MirrorOptions, type MirrorSource } from "./mirror.ts";
export type { Notice } from "./notices.ts";
export {
  readConsistency,
  readConsistencyBetweenLater,
  readConsistencyLater,
  readInclusion,
  readRoot,
  readRootLater,
} from "./proofs.ts";
export { type ReadEvent, ReadFold } from "./read-fold.ts";
export type { AsyncAuditStorage, AuditRead, AuditStorage, AuditWrite, EpochKey, Later, MarkName } from "./storage.ts";
export { storeSource } from "./store-source.ts";
export { auditMarkTable, storeStorage } from "./store-storage.ts";
export { loadTree, loadTreeLater, TreeCache } from "./tree-cache.ts";
export { type FolderVerdict, type VerifyFolderOptions, verifyFolder } from "./verify-folder.ts";
export { defaultFullPolicy, type FullPolicy, WhenFull } from "./when-full.ts";
