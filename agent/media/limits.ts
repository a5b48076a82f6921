import { mediaLimits } from "../../protocol/media/index.ts";

/** Names in the folder that all writers share: a stick for a plant of five hundred nodes, and what scanners leave behind. */
export const writersFolderNames = 1_024;

/** Names in one writer's folder: what it wrote now, what it wrote before, and what a pulled write left. */
export const writerFolderNames = 3 * mediaLimits.files + 64;

/** Bytes written or read between two looks at the progress. */
export const mediaChunkBytes = 65_536;
