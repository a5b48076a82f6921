import { concat, sameBytes, u64be, utf8 } from "../base/index.ts";
import { AuditError } from "./errors.ts";
import { decodeNote, type Note, type NoteKey, type NoteSigner, noteKeyId } from "./note.ts";

/** C2SP tlog-cosignature, type byte of a timestamped Ed25519 cosignature. */
const noteTypeCosignature = 0x04;
const timestampBytes = 8;

/** Name of a node's witness key; `node` is its id in base32. */
export function witnessKeyName(trustDomain: string, node: string): string {
  return `${trustDomain}/tidegate/1/witness/${node}`;
}

/** A cosignature without the head that it is over. */
interface Cosignature {
  /** Seconds since 1970. */
  readonly timeS: number;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

/** A note over somebody's head with our cosignature (C2SP tlog-cosignature, cosignature/v1) alone; `timeS` is seconds since 1970. */
export function cosign(text: string, timeS: number, { name, key }: NoteSigner): Uint8Array {
  const signature = key.sign(cosignedMessage(text, timeS));
  return cosignedNote(text, { name, publicKey: key.publicKey }, { timeS, signature });
}

/** The note over `text` that bears the witness's cosignature alone; verifies nothing. */
export function cosignedNote(
  text: string,
  { name, publicKey }: { readonly name: string; readonly publicKey: Uint8Array },
  { timeS, signature }: Cosignature,
): Uint8Array {
  const line = concat(noteKeyId(name, publicKey, noteTypeCosignature), u64be(timeS), signature);
  return utf8(`${text}\n— ${name} ${Buffer.from(line).toString("base64")}\n`);
}

/** The first cosignature of this name on a note over `text`; null where there is none. Verifies nothing. Throws AUDIT_CHECKPOINT_MALFORMED. */
export function cosignatureOn(bytes: Uint8Array, text: string, name: string): Cosignature | null {
  const note = decodeNote(bytes);
  const found = note.text === text ? note.signatures.find((each) => each.name === name) : undefined;
  return found === undefined ? null : { timeS: timeOf(found.signature), signature: found.signature.subarray(timestampBytes) };
}

/**
 * When `known` cosigned the note, seconds since 1970; null where it did not. Throws AUDIT_CHECKPOINT_UNSIGNED where a line that claims to
 * be of `known` does not verify.
 */
export function verifyCosignature(note: Note, known: NoteKey): number | null {
  const id = noteKeyId(known.name, known.key.publicKey, noteTypeCosignature);
  let newest: number | null = null;
  for (const { name, keyId, signature } of note.signatures) {
    if (name !== known.name || !sameBytes(keyId, id)) continue;
    const time = timeOf(signature);
    if (!Number.isSafeInteger(time) || !known.key.verify(cosignedMessage(note.text, time), signature.subarray(timestampBytes)))
      throw new AuditError("AUDIT_CHECKPOINT_UNSIGNED", `the cosignature of ${known.name} does not verify`);
    newest = Math.max(time, newest ?? 0);
  }
  return newest;
}

/** Not a number that is safe where the line is too short or the time beyond 2^53. */
function timeOf(signature: Uint8Array): number {
  return signature.length < timestampBytes ? Number.NaN : Number(Buffer.from(signature).readBigUInt64BE());
}

function cosignedMessage(text: string, timeS: number): Uint8Array {
  return utf8(`cosignature/v1\ntime ${timeS}\n${text}`);
}
