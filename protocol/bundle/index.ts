export * from "./apply-body.ts";
export * from "./body.ts";
export * from "./build-bundle.ts";
export * from "./entry.ts";
export { BUNDLE_CODES, type BundleCode, BundleError, STREAM_CODES, type StreamCode, StreamError } from "./errors.ts";
export { type BundleHeader, decodeHeader, encodeContext, encodeHeader, type HeaderContext } from "./header.ts";
export {
  type AuditHead,
  type BootCounters,
  type BundleKind,
  bundleKind,
  type Direction,
  direction,
  type IssuedAt,
  type RootHead,
  type StreamHead,
} from "./header-fields.ts";
export * from "./judge.ts";
export * from "./limits.ts";
export * from "./open-bundle.ts";
export * from "./plan.ts";
export * from "./receiver-state.ts";
export * from "./sender-state.ts";
export { nodeOfSigner } from "./signer-index.ts";
export * from "./state-codec.ts";
export * from "./state-digest.ts";
export * from "./verify-bundle.ts";
export * from "./version-index.ts";
