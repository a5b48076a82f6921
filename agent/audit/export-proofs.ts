import { basename, join } from "node:path";
import { AuditError, decodeCheckpoint, parseOrigin, type TreeHead, verifyConsistency } from "../../protocol/audit/index.ts";
import { bounded, cosignedFiles, type DamagedFile } from "./export-list.ts";
import { isCosigned } from "./folder-keys.ts";

/** What the proofs of an export are judged with. */
interface ProvenWith {
  readonly trustDomain: string;
  /** Of every root of the chain: a head that was cosigned long ago bears a key of then. */
  readonly witnessKeys: readonly Uint8Array[];
  /** The checkpoint that the entries lead to, as a note; null where they do not, and nothing can be proven to follow. */
  readonly head: Uint8Array | null;
}

const proofName = "proof.json";

/** Files beside a log that are there and ought to prove something by themselves, but do not. */
export function unprovenFiles(path: string, known: ProvenWith): DamagedFile[] {
  const proof = bounded(join(path, proofName));
  const isProven = proof === null || known.head === null || leadsTo(proof, decodeCheckpoint(known.head));
  const notes = cosignedFiles(path).filter((name) => !isCosignedHead(join(path, name), known));
  return [
    ...(isProven ? [] : [{ file: proofName, says: "does not lead to the checkpoint" }]),
    ...notes.map((file) => ({ file, says: "is not a head of that node that a witness cosigned" })),
  ];
}

/** True where the file says that there is no proof, or its hashes lead from the head that it names to `head`. */
function leadsTo(bytes: Uint8Array, head: TreeHead): boolean {
  try {
    const told = JSON.parse(Buffer.from(bytes).toString("utf8")) as ProofText | null;
    if (told === null) return true;
    const { from, to, hashes } = told;
    if (to !== head.size || !Number.isSafeInteger(from.size) || from.size < 0) return false;
    verifyConsistency({ size: from.size, root: fromBase64(from.root) }, head, hashes.map(fromBase64));
    return true;
  } catch {
    // Whatever it is, it is no proof.
    return false;
  }
}

/** What `proof.json` must be; nothing of it is believed. */
interface ProofText {
  readonly from: { readonly size: number; readonly root: string };
  readonly to: number;
  readonly hashes: readonly string[];
}

function fromBase64(text: string): Uint8Array {
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64") !== text) throw new TypeError("not base64");
  return bytes;
}

/** True where the note is a head of the node that its file is named by, under a cosignature of a witness. */
function isCosignedHead(path: string, known: ProvenWith): boolean {
  try {
    const { origin, note } = decodeCheckpoint(bounded(path) ?? new Uint8Array(0));
    const { node, trustDomain } = parseOrigin(origin);
    return node === basename(path) && trustDomain === known.trustDomain && isCosigned(note, known);
  } catch (error) {
    if (error instanceof AuditError) return false;
    throw error;
  }
}
