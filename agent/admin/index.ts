export * from "./admin-server.ts";
export * from "./call-admin.ts";
export * from "./errors.ts";
