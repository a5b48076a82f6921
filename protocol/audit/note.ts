import { assert, concat, sameBytes, sha256, utf8 } from "../base/index.ts";
import { AuditError } from "./errors.ts";
import { maxNoteBytes, maxNoteSignatures } from "./limits.ts";

/** C2SP signed-note, type byte of a plain Ed25519 signature. */
export const noteTypeEd25519 = 0x01;

/** A key that signs notes under a name. */
export interface NoteSigner {
  readonly name: string;
  readonly key: { readonly publicKey: Uint8Array; sign(message: Uint8Array): Uint8Array };
}

/** A key that a reader knows, under its name. */
export interface NoteKey {
  readonly name: string;
  readonly key: { readonly publicKey: Uint8Array; verify(message: Uint8Array, signature: Uint8Array): boolean };
}

export interface NoteSignature {
  readonly name: string;
  /** 4 bytes. */
  readonly keyId: Uint8Array;
  readonly signature: Uint8Array;
}

export interface Note {
  /** What is signed: the text with its last newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const keyName = /^[^\s+\p{Cc}]+$/u;

/** The four bytes that name a key in a note: SHA-256(name ‖ 0A ‖ type ‖ public key)[0..3]. */
export function noteKeyId(name: string, publicKey: Uint8Array, type = noteTypeEd25519): Uint8Array {
  return sha256(concat(utf8(`${name}\n`), Uint8Array.of(type), publicKey)).slice(0, 4);
}

/** Signs `text`, which ends in a newline, with each of `signers` in turn. */
export function signNote(text: string, signers: readonly NoteSigner[]): Uint8Array {
  assert(text.endsWith("\n") && signers.length > 0, "a note ends in a newline and bears a signature");
  const message = utf8(text);
  let out = `${text}\n`;
  for (const { name, key } of signers) {
    assert(keyName.test(name), "a note key's name has no spaces and no plus sign");
    const signature = concat(noteKeyId(name, key.publicKey), key.sign(message));
    out += `— ${name} ${Buffer.from(signature).toString("base64")}\n`;
  }
  return utf8(out);
}

/** Takes a signed note apart; verifies nothing. Throws AUDIT_CHECKPOINT_MALFORMED. */
export function decodeNote(bytes: Uint8Array): Note {
  if (bytes.length > maxNoteBytes) throw malformed(`a note of ${bytes.length} bytes`);
  const whole = decode(bytes);
  const split = whole.lastIndexOf("\n\n");
  if (split < 0 || !whole.endsWith("\n")) throw malformed("no blank line before the signatures");
  const lines = whole.slice(split + 2, -1).split("\n");
  if (lines.length > maxNoteSignatures) throw malformed(`${lines.length} signatures`);
  return { text: whole.slice(0, split + 1), signatures: lines.map(signatureOf) };
}

/**
 * True where the note bears a valid signature of `known`; false where it bears none. Throws AUDIT_CHECKPOINT_UNSIGNED where one
 * that claims to be of `known` does not verify: then nothing in the note is to be believed.
 */
export function verifyNote(note: Note, known: NoteKey): boolean {
  const id = noteKeyId(known.name, known.key.publicKey);
  const claimed = note.signatures.filter((one) => one.name === known.name && sameBytes(one.keyId, id));
  const message = utf8(note.text);
  for (const one of claimed) {
    if (!known.key.verify(message, one.signature))
      throw new AuditError("AUDIT_CHECKPOINT_UNSIGNED", `the signature of ${known.name} does not verify`);
  }
  return claimed.length > 0;
}

function decode(bytes: Uint8Array): string {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    throw malformed("a note that is not UTF-8");
  }
  for (let i = 0; i < text.length; i += 1) {
    if (text.charCodeAt(i) < 0x20 && text[i] !== "\n") throw malformed("a control character in a note");
  }
  return text;
}

function signatureOf(line: string): NoteSignature {
  const [, name, base64] = /^— ([^ ]+) ([A-Za-z0-9+/]+={0,2})$/.exec(line) ?? [];
  if (name === undefined || base64 === undefined || !keyName.test(name)) throw malformed("a line that is not a signature");
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length < 5 || bytes.toString("base64") !== base64) throw malformed("a signature that is not base64");
  return { name, keyId: new Uint8Array(bytes.subarray(0, 4)), signature: new Uint8Array(bytes.subarray(4)) };
}

function malformed(why: string): AuditError {
  return new AuditError("AUDIT_CHECKPOINT_MALFORMED", why);
}
