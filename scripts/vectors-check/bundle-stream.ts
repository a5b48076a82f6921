import {
  type BundleHeader,
  bundleKind,
  direction,
  emptyDigest,
  type HeldItem,
  judge,
  type ReceiverMode,
  type ReceiverState,
  type StreamCode,
  type StreamHead,
} from "../../protocol/bundle/index.ts";
import { expectSame, type VectorCase } from "./vector-file.ts";

type Place = readonly [epoch: number, seq: number, id: string, bytes?: number];

interface ReceiverVector {
  readonly mode: ReceiverMode;
  readonly epoch: number;
  readonly rootVersion: number;
  readonly head: Place | null;
  readonly nonce: string;
  readonly pastNonces: readonly string[];
  readonly recent: readonly Place[];
  readonly held: readonly Place[];
}

interface ItemVector {
  readonly epoch: number;
  readonly seq: number;
  readonly prev: string;
  readonly kind: "delta" | "snapshot";
  readonly rootVersion: number;
  readonly answers: readonly string[];
  readonly id: string;
  readonly bodyLength: number;
}

/** Judges the item; the code of the refusal, or null where the verdict is the one said. */
export function checkJudge(vector: VectorCase): StreamCode | null {
  const item = vector["item"] as ItemVector;
  const judgement = judge(receiverOf(vector["receiver"] as ReceiverVector), headerOf(item), hex(item.id));
  if (judgement.verdict !== "refuse") {
    expectSame(vector, "verdict", judgement.verdict);
    return null;
  }
  if (judgement.quarantine !== vector["quarantine"]) throw new Error(`quarantine is ${judgement.quarantine}`);
  return judgement.code;
}

function receiverOf(vector: ReceiverVector): ReceiverState {
  return {
    mode: vector.mode,
    epoch: vector.epoch,
    rootVersion: vector.rootVersion,
    head: vector.head === null ? null : placeOf(vector.head),
    stateDigest: emptyDigest(),
    nonce: hex(vector.nonce),
    pastNonces: vector.pastNonces.map(hex),
    recent: vector.recent.map(placeOf),
    held: vector.held.map((place): HeldItem => ({ ...placeOf(place), bytes: place[3] ?? 0 })),
    wantsSnapshot: false,
  };
}

/** Only what the judge reads has meaning; the rest is zeros. */
function headerOf(item: ItemVector): BundleHeader {
  const zeros = (length: number) => new Uint8Array(length);
  return {
    vaultId: zeros(32),
    vaultEpoch: item.epoch,
    direction: direction.down,
    signer: zeros(20),
    recipient: zeros(20),
    sealingKeyId: zeros(20),
    root: { version: item.rootVersion, id: zeros(32) },
    seq: item.seq,
    prev: hex(item.prev),
    kind: bundleKind[item.kind],
    issuedAt: { lo: 0, hi: 0 },
    nonce: zeros(16),
    answers: item.answers.map(hex),
    ack: null,
    auditHead: null,
    provenHead: null,
    boot: null,
    encapsulated: zeros(1120),
    commitment: zeros(32),
    ciphertextLength: item.bodyLength,
    ciphertextHash: zeros(32),
  };
}

function placeOf([epoch, seq, id]: Place): StreamHead {
  return { epoch, seq, id: hex(id) };
}

function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "hex"));
}
