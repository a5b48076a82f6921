export type { IncomingItem, Post, PostItem, SeenFile, Taken } from "./contracts.ts";
export { MediaDesk, type Standing } from "./desk.ts";
export { CUSTODY_CODES, CustodyError } from "./errors.ts";
export { auditExportRoutes, type ExportGrant, type ExportSource } from "./export-routes.ts";
export type { Custody } from "./medium.ts";
export { memberExport } from "./member-export.ts";
export { applyFromMedia, type MemberParts, memberPost, ownReports, rootsAndRevoked } from "./member-post.ts";
export { mediaRoutes } from "./routes.ts";
