import { decodeEnvelope } from "../../protocol/envelope/index.ts";
import { decodeManifest, mediaFileName, verifyManifest } from "../../protocol/media/index.ts";
import { applyStatements, startTrust } from "../../protocol/trust/index.ts";
import { bytesOf, expectBytes, expectSame, type Result, runCases, type VectorCase, type VectorFile } from "./vector-file.ts";

/** Manifests of removable media, as a node that reads one judges them. */
export function check(file: VectorFile): Result[] {
  return runCases(file, runCase);
}

function runCase(vector: VectorCase): void {
  const [root = new Uint8Array(0), ...rest] = (vector["statements"] as string[]).map(
    (one) => new Uint8Array(Buffer.from(one, "hex")),
  );
  const started = startTrust([root], { version: 1, id: decodeEnvelope(root).id });
  const manifest = decodeManifest(bytesOf(vector, "manifest"));
  verifyManifest(manifest, applyStatements(started, rest).state);
  expectBytes(vector, "nodeId", manifest.nodeId);
  expectBytes(vector, "writeId", manifest.writeId);
  expectSame(vector, "lo", manifest.written.lo);
  expectSame(vector, "hi", manifest.written.hi);
  expectSame(vector, "names", manifest.files.map(mediaFileName).join(" "));
}
