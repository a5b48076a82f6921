import { AuditError, maxLeafBytes, tileWidth } from "../../protocol/audit/index.ts";

/** Smaller ones are stored as they are: a call takes as long there as it saves, and a part that grows is put again and again. */
const packedFrom = 8 * 1024;
/** The fastest of the usual levels, which finds what leaves of one commit have in common; a window of 128 KiB has as many of them. */
const [level, windowLog] = [1, 17];
/** RFC 8878 section 3.1.1. As the length of a bundle's first leaf these would be more than a leaf has. */
const [firstOfFrame, secondOfFrame] = [0x28, 0xb5];
const maxBundleBytes = tileWidth * (2 + maxLeafBytes);

/**
 * An entry bundle, or a part of one, as it is stored: compressed (Zstandard, RFC 8878) where it is large and that makes it smaller. Leaves of one
 * commit have their node, their moment and mostly their actor in common.
 */
export function packBundle(bundle: Uint8Array): Uint8Array {
  if (bundle.length < packedFrom) return bundle;
  const { constants, zstdCompressSync } = zlib();
  const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_windowLog]: windowLog };
  const packed = zstdCompressSync(bundle, { params });
  return packed.length < bundle.length ? packed : bundle;
}

/** Inverse of {@link packBundle}. Throws AUDIT_TILE_MALFORMED where it does not decompress, or to more than a bundle has. */
export function unpackBundle(stored: Uint8Array): Uint8Array {
  if (stored[0] !== firstOfFrame || stored[1] !== secondOfFrame) return stored;
  try {
    const { buffer, byteOffset, length } = zlib().zstdDecompressSync(stored, { maxOutputLength: maxBundleBytes });
    return new Uint8Array(buffer, byteOffset, length);
  } catch {
    throw new AuditError("AUDIT_TILE_MALFORMED", "a stored entry bundle that does not decompress");
  }
}

/** Loaded for the first large bundle: it takes milliseconds, in which a node that starts would serve nobody. */
function zlib() {
  return process.getBuiltinModule("node:zlib");
}
