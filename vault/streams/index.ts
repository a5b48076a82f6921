export { exportNodes } from "./export-nodes.ts";
export { ExportPace } from "./export-pace.ts";
export { ExportWatch } from "./export-watch.ts";
export { ExportedCache } from "./exported-cache.ts";
export { dropFromOutbox, type IssueOptions, issueBundle } from "./issue-bundle.ts";
export { lockStreams, type NodeStreams, saveStreams, startStreams } from "./stream-row.ts";
export { registryOf, type VaultCore, type VaultLog, vaultMailbox } from "./vault-core.ts";
