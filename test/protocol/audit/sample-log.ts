import {
  type Anchor,
  type AuditEvent,
  emptyTree,
  encodeLeaf,
  hashLeaf,
  type Leaf,
  leafOf,
  originOf,
  rootOf,
  sequence,
  signCheckpoint,
  successionDetails,
  type TreeHead,
  type TreeState,
  type VerifyInput,
} from "../../../protocol/audit/index.ts";
import { importVerifyKey, nodeIdText, type SigningKey, signingKeyFromSeed } from "../../../protocol/keys/index.ts";

/** Keys of a log whose seeds are the same in each run. */
const signer = (byte: number): SigningKey => signingKeyFromSeed(new Uint8Array(32).fill(byte));
const identity = signer(1);
export const logKey = signer(2);
export const epochKeys = [signer(10), signer(11), signer(12), signer(13)];
export const node = nodeIdText(identity.keyId);
export const origin = originOf({ trustDomain: "plant.example", node, serial: 0 });

/** A log as an auditor finds it: bytes only. */
export interface SampleLog {
  readonly leaves: Uint8Array[];
  readonly hashes: Uint8Array[];
  readonly checkpoints: Uint8Array[];
  readonly anchors: Anchor[];
}

export interface SampleOptions {
  readonly size: number;
  /** Epoch N + 1 begins with the leaf at `epochs[N]`. */
  readonly epochs?: readonly number[];
  /** Sizes with a checkpoint in the folder; the default is the whole log. Final checkpoints of epochs are always there. */
  readonly checkpoints?: readonly number[];
  readonly anchors?: readonly number[];
  /** Makes another history from this index on. */
  readonly forkedFrom?: number;
}

/** An event of each kind that a leaf's layout treats differently, by index. */
export function eventAt(index: number, mark = "plc"): AuditEvent {
  const self = { kind: "node", id: node } as const;
  if (index === 0) {
    const details = { version: mark, role: "edge", lastStop: "first" };
    return { action: "node.start", actor: self, subject: self, outcome: "ok", details };
  }
  if (index % 3 === 1) {
    const actor = { kind: "application", id: "hmi" } as const;
    const subject = { kind: "account", id: `hall-1/${mark}-${index}/admin` } as const;
    return { action: "credential.read", actor, subject, outcome: "ok", details: { count: index, spanMs: 90, stale: false } };
  }
  const subject = { kind: "account", id: `hall-1/${mark}-${index}/admin` } as const;
  const details = { epoch: 1, number: index, attempt: 1, says: 'answered "no" ✗' };
  return { action: "rotation.rejected", actor: self, subject, outcome: "denied", code: "ROTATION_POLICY", details };
}

export function leafAt(index: number, event: AuditEvent): Leaf {
  const time = [1_700_000_000_000 + index * 1000, index % 2 === 0 ? null : 1_700_000_000_500 + index * 1000] as const;
  return leafOf(event, { log: 0, index, time, wallMs: 86_400_000 + index, boot: "5e1f-b007", sinceBootMs: index * 10, node });
}

/** Builds an honest log, deterministic to the byte. */
export function sampleLog(options: SampleOptions): SampleLog {
  const epochs = options.epochs ?? [];
  const leaves: Uint8Array[] = [];
  const heads = new Map<number, TreeHead>([[0, { size: 0, root: rootOf(emptyTree) }]]);
  let tree: TreeState = emptyTree;
  for (let index = 0; index < options.size; index += 1) {
    const epoch = epochs.indexOf(index);
    const mark = index >= (options.forkedFrom ?? options.size) ? "other" : "plc";
    const event = epoch < 0 ? eventAt(index, mark) : successionAt(index, epoch + 1);
    const leaf = encodeLeaf(leafAt(index, event));
    leaves.push(leaf);
    tree = sequence(tree, [leaf]).state;
    heads.set(tree.size, { size: tree.size, root: rootOf(tree) });
  }
  const sizes = new Set([...epochs.filter((from) => from < options.size), ...(options.checkpoints ?? [options.size])]);
  const head = (size: number) => heads.get(size) as TreeHead;
  return {
    leaves,
    hashes: leaves.map(hashLeaf),
    checkpoints: [...sizes].sort((a, b) => a - b).map((size) => sealed(head(size), epochOf(epochs, size))),
    anchors: (options.anchors ?? []).map((size) => ({ ...head(size), origin, source: `the anchor of ${size}` })),
  };
}

/** Signs a checkpoint with the keys of `epoch`. */
export function sealed(head: TreeHead, epoch: number): Uint8Array {
  return signCheckpoint(origin, head, { log: logKey, epoch: epochKeys[epoch] as SigningKey, epochNumber: epoch });
}

/** Epoch that a size belongs to. */
function epochOf(epochs: readonly number[], size: number): number {
  return epochs.filter((from) => from < size).length;
}

export function successionAt(index: number, epoch: number): AuditEvent {
  const self = { kind: "node", id: node } as const;
  const [ending, next] = [epochKeys[epoch - 1] as SigningKey, epochKeys[epoch] as SigningKey];
  const succession = { epoch, publicKey: next.publicKey, from: index };
  const details = successionDetails(origin, succession, (message) => ending.sign(message));
  return { action: "audit.epoch", actor: self, subject: { kind: "log", id: "0" }, outcome: "ok", details };
}

/** Seals `leaves` anew from scratch: what somebody with the node's keys of `epoch` can do. */
export function reseal(leaves: readonly Uint8Array[], epoch: number, size = leaves.length): Uint8Array {
  return sealed({ size, root: rootOf(sequence(emptyTree, leaves.slice(0, size)).state) }, epoch);
}

/** The log as the verifier takes it. */
export function inputOf(log: SampleLog): VerifyInput {
  return {
    leaves: log.leaves,
    hashes: Buffer.concat(log.hashes),
    checkpoints: log.checkpoints,
    member: {
      trustDomain: "plant.example",
      node,
      logKey: importVerifyKey(logKey.publicKey),
      epochKey: importVerifyKey((epochKeys[0] as SigningKey).publicKey),
    },
    anchors: log.anchors,
  };
}

/** A leaf that says something else in the same place: what an editor of the file would write. */
export function editedLeaf(index: number): Uint8Array {
  return encodeLeaf(leafAt(index, eventAt(index, "edited")));
}
