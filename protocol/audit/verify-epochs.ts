import { importVerifyKey, KeyError, type VerifyKey } from "../keys/index.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { successionMessage, successionOf } from "./epoch.ts";
import { AuditError } from "./errors.ts";
import type { Finding } from "./findings.ts";
import type { Leaf } from "./leaf.ts";
import { verifyNote } from "./note.ts";
import { epochKeyName, epochOfKeyName } from "./origin.ts";

/** A key epoch: its key signs checkpoints of more than `from` leaves, up to `from` of the next epoch. */
interface Epoch {
  readonly number: number;
  readonly key: VerifyKey;
  readonly from: number;
}

/** The epochs that a log's own leaves introduce, and what is wrong with them. */
export interface EpochChain {
  readonly epochs: readonly Epoch[];
  readonly findings: readonly Finding[];
}

/** Follows the successions from epoch 0's key, which the member statement names. */
export function followEpochs(
  origin: string,
  first: VerifyKey,
  successions: readonly { index: number; leaf: Leaf }[],
): EpochChain {
  const epochs: Epoch[] = [{ number: 0, key: first, from: 0 }];
  const findings: Finding[] = [];
  for (const { index, leaf } of successions) {
    const current = epochs.at(-1) as Epoch;
    const succession = successionOf(leaf);
    const key = succession === null ? null : keyOrNull(succession.publicKey);
    if (succession === null || key === null) {
      findings.push({ code: "KEY-EPOCH", index, says: `entry ${index} names no successor to epoch ${current.number}` });
      continue;
    }
    if (succession.epoch !== current.number + 1) {
      const says = `entry ${index} introduces epoch ${succession.epoch} where epoch ${current.number + 1} must come`;
      findings.push({ code: "EPOCH-GAP", index, says });
    } else if (succession.from !== index || !current.key.verify(successionMessage(origin, succession), succession.signature)) {
      findings.push({
        code: "KEY-EPOCH",
        index,
        says: `entry ${index} is not signed by the key of epoch ${current.number} for this place`,
      });
    }
    epochs.push({ number: succession.epoch, key, from: index });
  }
  return { epochs, findings };
}

/** Null where `checkpoint` bears the signature of the epoch that its size belongs to. */
export function judgeEpochSignature(chain: EpochChain, checkpoint: Checkpoint): Finding | null {
  const { origin, size, note } = checkpoint;
  const required = chain.epochs.findLast((epoch) => epoch.from < size) ?? chain.epochs[0];
  if (required === undefined) return null;
  const name = epochKeyName(origin, required.number);
  try {
    if (verifyNote(note, { name, key: required.key })) return null;
  } catch (error) {
    if (!(error instanceof AuditError)) throw error;
  }
  const signed = note.signatures.map((one) => epochOfKeyName(origin, one.name)).find((epoch) => epoch !== null);
  const newest = chain.epochs.at(-1)?.number ?? 0;
  if (signed !== undefined && signed !== null && signed > newest) {
    const says = `the checkpoint of ${size} entries is signed for epoch ${signed}, which no entry introduces`;
    return { code: "EPOCH-GAP", index: size, says };
  }
  const says = `the checkpoint of ${size} entries bears no valid signature of epoch ${required.number}, which its size asks for`;
  return { code: "KEY-EPOCH", index: size, says };
}

/** An epoch that ended must have left its final checkpoint: only its erased key could have signed it. */
export function missingFinals(chain: EpochChain, sealing: readonly Checkpoint[]): Finding[] {
  return chain.epochs.slice(1).flatMap((epoch, at): Finding[] => {
    const ended = chain.epochs[at] as Epoch;
    if (sealing.some((checkpoint) => checkpoint.size === epoch.from)) return [];
    const says = `the final checkpoint of epoch ${ended.number}, of ${epoch.from} entries, is missing`;
    return [{ code: "EPOCH-GAP", index: epoch.from, says }];
  });
}

function keyOrNull(publicKey: Uint8Array): VerifyKey | null {
  try {
    return importVerifyKey(publicKey);
  } catch (error) {
    if (error instanceof KeyError) return null;
    throw error;
  }
}
