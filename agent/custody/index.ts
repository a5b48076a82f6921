export { type ArchiveGrant, auditCopyRoutes } from "./archive-routes.ts";
export type { IncomingItem, Post, PostItem, SeenFile, Taken } from "./contracts.ts";
export { MediaDesk, type Standing } from "./desk.ts";
export { CUSTODY_CODES, CustodyError } from "./errors.ts";
export type { ExportGrant, ExportSource } from "./export-routes.ts";
export type { Custody } from "./medium.ts";
export { memberExport } from "./member-export.ts";
export { applyFromMedia, type MemberParts, memberPost, ownReports, rootsAndRevoked } from "./member-post.ts";
export { mediaRoutes } from "./routes.ts";
