import { decodeTcbor, encodeTcbor } from "../../protocol/base/index.ts";
import { bytesOf, expectBytes, type Result, runCases, type VectorFile } from "./vector-file.ts";

/** Strict decoding, and that what decodes encodes to the same bytes. */
export function check(file: VectorFile): Result[] {
  return runCases(file, (vector) => expectBytes(vector, "bytes", encodeTcbor(decodeTcbor(bytesOf(vector, "bytes")))));
}
