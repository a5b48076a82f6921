// Writes protocol/vectors/audit.json.
import { toHex } from "../../protocol/base/index.ts";
import type { VectorCase } from "../vectors-check/vector-file.ts";
import { leafCases } from "./audit-leaves.ts";
import { checkpointCases, cosignatureCases } from "./audit-notes.ts";
import { bundleCases, proofCases, tileCases, treeCases } from "./audit-trees.ts";
import { writeVectors } from "./write-vectors.ts";

/** The same case with its byte strings in hexadecimal; a Buffer would write itself as an object. */
function hexed(vector: VectorCase): VectorCase {
  const fields = Object.entries(vector).map(([field, value]) => [field, value instanceof Uint8Array ? toHex(value) : value]);
  return Object.fromEntries(fields) as VectorCase;
}

writeVectors("audit", {
  area: "audit",
  about:
    "Leaves (text in ISO 8859-1), RFC 6962 roots and proofs (the first eight leaves are those of the Certificate Transparency reference implementation), C2SP tile paths, entry bundles, checkpoints and cosignatures.",
  cases: [...leafCases, ...treeCases, ...proofCases, ...tileCases, ...bundleCases, ...checkpointCases, ...cosignatureCases].map(
    hexed,
  ),
});
