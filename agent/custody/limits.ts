import { mediaLimits } from "../../protocol/media/index.ts";

/** Writes and reads of media that are under way at a time: one is usual. */
export const openSessions = 8;

/** Ids that one leaf names, and how much of each: 64 bits find an item, the write's id and its manifest say the rest. */
export const idsPerLeaf = 15;
export const idDigits = 16;

/** Body of a call that brings one item, or a manifest: base64 and what stands around it. */
export const itemBodyBytes = Math.ceil(mediaLimits.itemBytes / 3) * 4 + 65_536;

/** Text of a person's name, of a serial number or a label, characters. */
export const custodyText = 128;
