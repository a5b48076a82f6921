import type { LogHead } from "../../protocol/audit/index.ts";
import { asBytes, asTuple, asUint, decodeTcbor, encodeTcbor } from "../../protocol/base/index.ts";

/** A head for storing, TCBOR [serial, size, root]: as headers carry it. */
export function encodeHead(head: LogHead): Uint8Array {
  return encodeTcbor([head.serial, head.size, head.root]);
}

/** Inverse of {@link encodeHead}; null for a row that is not there. */
export function decodeHead(bytes: Uint8Array | null): LogHead | null {
  if (bytes === null) return null;
  const [serial, size, root] = asTuple(decodeTcbor(bytes), "head", 3);
  return { serial: asUint(serial, "serial"), size: asUint(size, "size"), root: asBytes(root, "root", 32) };
}
