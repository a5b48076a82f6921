export { MANIFEST_CODES, ManifestError } from "./errors.ts";
export { mediaLimits } from "./limits.ts";
export { type DecodedManifest, decodeManifest, type Manifest, signManifest, verifyManifest } from "./manifest.ts";
export {
  type MediaFile,
  type MediaKind,
  manifestName,
  mediaFileName,
  mediaFolder,
  mediaKinds,
  parseMediaFileName,
  readmeName,
} from "./media-file.ts";
