// Cases of protocol/vectors/audit.json: checkpoints and cosignatures.
import { checkpointText, cosign, emptyTree, rootOf, sequence, witnessKeyName } from "../../protocol/audit/index.ts";
import { toHex } from "../../protocol/base/index.ts";
import { signingKeyFromSeed } from "../../protocol/keys/index.ts";
import { epochKeys, logKey, node, origin, sampleLog } from "../../test/protocol/audit/sample-log.ts";
import type { VectorCase } from "../vectors-check/vector-file.ts";

/* Checkpoints. */

const [note] = sampleLog({ size: 5 }).checkpoints as [Uint8Array];
const noteText = Buffer.from(note).toString();
const signers = [
  { name: origin, publicKey: toHex(logKey.publicKey) },
  { name: `${origin}/epoch/0`, publicKey: toHex((epochKeys[0] as typeof logKey).publicKey) },
];
const checkpoint = { kind: "checkpoint", signers, origin, size: 5, root: head5() };
function head5(): Uint8Array {
  return rootOf(sequence(emptyTree, sampleLog({ size: 5 }).leaves).state);
}
const signature = noteText.split("\n")[4] as string;
/** Checkpoints, whole and damaged. */
export const checkpointCases: VectorCase[] = [
  { name: "a checkpoint by the log key and the key of epoch 0", expect: "ok", ...checkpoint, text: noteText },
  {
    name: "a checkpoint with a signature of a stranger",
    expect: "ok",
    ...checkpoint,
    text: `${noteText}— stranger.example AAAAAAAA\n`,
  },
  {
    name: "a checkpoint with a stranger's signature of one byte behind its key id",
    expect: "ok",
    ...checkpoint,
    text: `${noteText}— stranger.example AAAAAAA=\n`,
  },
  ...(
    [
      ["another size", noteText.replace("\n5\n", "\n6\n")],
      ["another root", noteText.replace(/\n[A-Za-z0-9+/]{43}=\n/, `\n${"A".repeat(43)}=\n`)],
    ] as const
  ).map(([name, text]) => ({ name: `a signature over ${name}`, expect: "AUDIT_CHECKPOINT_UNSIGNED", ...checkpoint, text })),
  ...(
    [
      ["no signatures", noteText.split("\n\n")[0] as string],
      ["no last newline", noteText.slice(0, -1)],
      ["carriage returns", noteText.replaceAll("\n", "\r\n")],
      ["an extension line", noteText.replace("\n\n", "\nmore\n\n")],
      ["a size with a leading zero", noteText.replace("\n5\n", "\n05\n")],
      ["a size of 2^53", noteText.replace("\n5\n", "\n9007199254740992\n")],
      ["a root of 31 bytes", noteText.replace(/\n[A-Za-z0-9+/]{43}=\n/, `\n${Buffer.alloc(31).toString("base64")}\n`)],
      ["unused bits in the root's base64", noteText.replace(/\n[A-Za-z0-9+/]{43}=\n/, `\n${"A".repeat(42)}B=\n`)],
      ["a hyphen before a signature", noteText.replace("— ", "- ")],
      ["a signature of no byte behind its key id", `${noteText}— stranger.example AAAAAA==\n`],
      ["65 signatures", noteText + `${signature}\n`.repeat(63)],
    ] as const
  ).map(([name, text]) => ({ name: `no checkpoint: ${name}`, expect: "AUDIT_CHECKPOINT_MALFORMED", ...checkpoint, text })),
];

/* Cosignatures. */

const witness = signingKeyFromSeed(new Uint8Array(32).fill(20));
const witnessName = witnessKeyName("plant.example", node);
const cosigned = Buffer.from(
  cosign(checkpointText(origin, { size: 5, root: head5() }), 1_795_000_000, { name: witnessName, key: witness }),
).toString();
const cosignature = { kind: "cosignature", name: "", text: "", key: toHex(witness.publicKey), witness: witnessName };
/** Cosignatures. */
export const cosignatureCases: VectorCase[] = [
  { ...cosignature, name: "a head under a witness's key", expect: "ok", text: cosigned, time: 1_795_000_000 },
  { ...cosignature, name: "a head under another name", expect: "ok", text: cosigned, witness: `${witnessName}x`, time: null },
  {
    ...cosignature,
    name: "a cosignature over another size",
    expect: "AUDIT_CHECKPOINT_UNSIGNED",
    text: cosigned.replace("\n5\n", "\n6\n"),
  },
  {
    ...cosignature,
    name: "a cosignature at another time",
    expect: "AUDIT_CHECKPOINT_UNSIGNED",
    text: cosigned.replace(/[A-Za-z0-9+/=]+\n$/, (line) => {
      const bytes = Buffer.from(line, "base64");
      bytes.writeUInt8((bytes[11] ?? 0) ^ 1, 11);
      return `${bytes.toString("base64")}\n`;
    }),
  },
];
