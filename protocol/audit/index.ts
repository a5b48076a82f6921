export { ACTOR_KINDS, AUDIT_ACTIONS, OUTCOMES, SUBJECT_KINDS } from "./actions.ts";
export {
  type Checkpoint,
  type CheckpointKeys,
  checkpointText,
  decodeCheckpoint,
  signCheckpoint,
  type TreeHead,
} from "./checkpoint.ts";
export { cosign, cosignatureOn, cosignedNote, verifyCosignature, witnessKeyName } from "./cosignature.ts";
export { encodeEvents } from "./encode-events.ts";
export { decodeEntryBundle, encodeEntryBundle, splitEntryBundle } from "./entry-bundle.ts";
export { type Succession, successionDetails, successionMessage, successionOf } from "./epoch.ts";
export { AUDIT_CODES, AuditError } from "./errors.ts";
export type { Actor, AuditAction, AuditEvent, DetailsOf, Outcome, Subject } from "./event.ts";
export { byIndex, FINDING_CODES, type Finding, type FindingCode } from "./findings.ts";
export { type AuditRows, GrowingTree, type Sequenced, sequence, type TileRow } from "./growing-tree.ts";
export { decodeLeaf, encodeLeaf, type Leaf, type LeafPlace, leafOf } from "./leaf.ts";
export { maxDetailLength, maxIdLength, maxLeafBytes, maxNoteBytes, tileWidth } from "./limits.ts";
export { decodeNote, type Note, type NoteKey, type NoteSigner, noteKeyId, signNote, verifyNote } from "./note.ts";
export { epochKeyName, epochOfKeyName, type LogName, originOf, parseOrigin } from "./origin.ts";
export { judgePeerHead, type LogHead, type PeerHeadVerdict } from "./peer-head.ts";
export { buildProof, type ProofPlan, planConsistency, planInclusion, planRoot } from "./proof.ts";
export { verifyConsistency, verifyInclusion } from "./proof-verify.ts";
export { type LogOfLeaves, type ScannedEntries, scanEntries } from "./scan-entries.ts";
export { parseTilePath, type TilePlace, tilePath, tilesBetween } from "./tile-path.ts";
export { emptyRoot, foldHashes, hashLeaf, hashLength, hashNode } from "./tree-hash.ts";
export {
  decodeTreeState,
  emptyTree,
  encodeTreeState,
  restorePlan,
  restoreTree,
  rootOf,
  splitHashes,
  type TreeState,
} from "./tree-state.ts";
export {
  type Anchor,
  openCheckpoint,
  type Verdict,
  Verification,
  type VerifyInput,
  verifyLog,
} from "./verify-log.ts";
