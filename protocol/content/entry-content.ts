import { asTuple, decodeTcbor, encodeTcbor, type Tcbor, TcborError } from "../base/index.ts";
import type { Entry, EntryFields } from "../bundle/index.ts";
import { type Content, type ContentKind, entryType } from "./content.ts";
import { contentFromTuple, contentToTuple, tupleLength } from "./content-codec.ts";
import { type ContentCode, ContentError } from "./errors.ts";

/** What an entry says, or the code for which it is inert. */
export type ReadContent = { readonly content: Content } | { readonly inert: ContentCode };

/** What would hold for ever without a window. */
const needsWindow: ReadonlySet<ContentKind> = new Set(["order", "lease"]);

const kinds = new Map<number, ContentKind>(Object.entries(entryType).map(([kind, type]) => [type, kind as ContentKind]));

/**
 * Type and payload of an entry that says `content`. What the reader would refuse is refused here too, with CONTENT_MALFORMED,
 * so that nothing inert is ever issued.
 */
export function encodeContent(content: Content): Pick<EntryFields, "type" | "payload"> {
  const type = entryType[content.kind];
  const tuple = contentToTuple(content);
  decodeTuple(content.kind, tuple);
  return { type, payload: encodeTcbor(tuple) };
}

/** Inverse of {@link encodeContent}. Throws CONTENT_UNKNOWN_TYPE, CONTENT_MALFORMED. */
export function decodeContent(type: number, payload: Uint8Array): Content {
  const kind = kinds.get(type);
  if (kind === undefined) throw new ContentError("CONTENT_UNKNOWN_TYPE", `entry type ${type}`);
  try {
    return decodeTuple(kind, decodeTcbor(payload));
  } catch (cause) {
    if (cause instanceof TcborError) throw new ContentError("CONTENT_MALFORMED", `${kind}: ${cause.message}`, { cause });
    throw cause;
  }
}

/** Reads an entry; one that this version cannot use is inert, never an error. An order or a lease without an authority window is. */
export function readContent(entry: Entry): ReadContent {
  try {
    const content = decodeContent(entry.type, entry.payload);
    if (needsWindow.has(content.kind) && entry.authority === null) return { inert: "CONTENT_MALFORMED" };
    return { content };
  } catch (error) {
    if (error instanceof ContentError) return { inert: error.code };
    throw error;
  }
}

function decodeTuple(kind: ContentKind, value: Tcbor): Content {
  try {
    return contentFromTuple(kind, asTuple(value, kind, tupleLength(kind)));
  } catch (cause) {
    if (cause instanceof TcborError) throw new ContentError("CONTENT_MALFORMED", cause.message, { cause });
    throw cause;
  }
}
