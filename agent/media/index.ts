export { MEDIA_CODES, MediaError } from "./errors.ts";
export { type FileHeader, openStick, type Stick, type WriterFolder } from "./read-stick.ts";
export { type WriteFolderOptions, type Written, writeFolder } from "./write-stick.ts";
export { type TreeFile, TreeWriter, treeManifest, type WrittenTree } from "./write-tree.ts";
