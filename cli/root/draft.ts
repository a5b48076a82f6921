import { z } from "zod";
import { writeFileDurably } from "../../agent/data-folder/index.ts";
import { concat, fromHex, sameBytes, TidegateError, toHex, utf8 } from "../../protocol/base/index.ts";
import {
  decodeEnvelope,
  type EnvelopeSignature,
  encodeEnvelope,
  envelopeId,
  expectType,
  signEnvelope,
  verifyEnvelope,
} from "../../protocol/envelope/index.ts";
import { importVerifyKey, type SigningKey } from "../../protocol/keys/index.ts";
import { decodeRoot, encodeRoot, type RootDocument } from "../../protocol/trust/index.ts";
import { readLimited } from "../frame/index.ts";
import { RootError } from "./codes.ts";

/** A root that is to be, the one before it, and who signed so far. It holds nothing secret and travels as a file. */
export interface RootDraft {
  readonly previous: RootDocument;
  readonly next: RootDocument;
  /** Envelope of the root before. */
  readonly before: Uint8Array;
  /** What is signed. */
  readonly payload: Uint8Array;
  readonly signatures: readonly EnvelopeSignature[];
}

const shape = z.strictObject({
  format: z.literal("tidegate-root-draft/1"),
  before: z.base64(),
  payload: z.base64(),
  signatures: z.array(z.strictObject({ keyId: z.hex().length(40), signature: z.base64() })).max(16),
});

const freshDraft =
  "Name the file that 'tidegate root rotate --draft FILE' made, or a signed copy of it; where it was altered, make it anew.";

/** A draft that nobody has signed. `before` is the envelope of the root that it follows. */
export function newDraft(before: Uint8Array, next: RootDocument): RootDraft {
  const payload = encodeRoot(next);
  return { previous: decodeRoot(decodeEnvelope(before).payload), next: decodeRoot(payload), before, payload, signatures: [] };
}

/** The draft with this key's signature as well; signing twice changes nothing. Throws ROOT_KEY_FOREIGN. */
export function signDraft(draft: RootDraft, key: SigningKey): RootDraft {
  if (!keysOf(draft).some((raw) => sameBytes(raw, key.publicKey))) {
    throw new RootError("ROOT_KEY_FOREIGN", "the key is neither one of the present root nor one of the draft", {
      hint: "'tidegate root show DRAFT' lists the keys that may sign.",
    });
  }
  const [signature] = decodeEnvelope(signEnvelope("root", draft.payload, [key])).signatures;
  return signature === undefined ? draft : withSignatures(draft, [signature]);
}

/** What is signed on all of these files. Throws ROOT_DRAFT_DIFFERS where they are about different roots. */
export function mergeDrafts(drafts: readonly [RootDraft, ...RootDraft[]]): RootDraft {
  const [first, ...others] = drafts;
  for (const other of others) {
    if (!sameBytes(other.payload, first.payload))
      throw new RootError("ROOT_DRAFT_DIFFERS", "the files are drafts of different roots");
  }
  return withSignatures(
    first,
    others.flatMap(({ signatures }) => signatures),
  );
}

/** The signed root, for the vault to judge. Throws ROOT_DRAFT where nobody has signed. */
export function draftEnvelope({ payload, signatures }: RootDraft): Uint8Array {
  if (signatures.length === 0) {
    throw new RootError("ROOT_DRAFT", "nobody has signed the draft", { hint: "tidegate root sign DRAFT --root-key FILE" });
  }
  return encodeEnvelope("root", payload, signatures);
}

/** How many keys of the old and of the new root have signed, each public key once. */
export function signedBy(draft: RootDraft): { readonly old: number; readonly next: number } {
  const signed = new Set(draft.signatures.map(({ keyId }) => toHex(keyId)));
  const count = (keys: readonly Uint8Array[]) => keys.filter((raw) => signed.has(toHex(importVerifyKey(raw).keyId))).length;
  return { old: count(draft.previous.rootKeys), next: count(draft.next.rootKeys) };
}

/** Writes a draft. */
export function writeDraft(path: string, draft: RootDraft): void {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
  const file: z.infer<typeof shape> = {
    format: "tidegate-root-draft/1",
    before: base64(draft.before),
    payload: base64(draft.payload),
    signatures: draft.signatures.map(({ keyId, signature }) => ({ keyId: toHex(keyId), signature: base64(signature) })),
  };
  writeFileDurably(path, utf8(`${JSON.stringify(file, null, 2)}\n`));
}

/** Reads a draft; every signature in it holds and is by a key that may sign. Throws CLI_FILE, ROOT_DRAFT. */
export function readDraft(path: string): RootDraft {
  const read = readLimited(path).toString("utf8");
  try {
    const file = shape.parse(JSON.parse(read));
    const bytes = (text: string) => concat(Buffer.from(text, "base64"));
    const before = decodeEnvelope(bytes(file.before));
    expectType(before, "root");
    const payload = bytes(file.payload);
    const unsigned = { ...newDraft(before.bytes, decodeRoot(payload)), payload };
    const signatures = file.signatures.map(({ keyId, signature }) => ({
      keyId: fromHex(keyId) ?? new Uint8Array(0),
      signature: bytes(signature),
    }));
    return withSignatures(unsigned, signatures);
  } catch (cause) {
    if (cause instanceof RootError) throw cause;
    if (!(cause instanceof TidegateError || cause instanceof z.ZodError || cause instanceof Error)) throw cause;
    throw new RootError("ROOT_DRAFT", `${path} is no draft of a root`, { cause, hint: freshDraft });
  }
}

/** Short, to be compared by word of mouth: people must sign the same root. */
export function draftName({ payload }: RootDraft): string {
  return toHex(envelopeId("root", payload)).slice(0, 16);
}

function keysOf({ previous, next }: RootDraft): readonly Uint8Array[] {
  return [...previous.rootKeys, ...next.rootKeys];
}

function withSignatures(draft: RootDraft, more: readonly EnvelopeSignature[]): RootDraft {
  const keys = new Map(keysOf(draft).map((raw) => [toHex(importVerifyKey(raw).keyId), importVerifyKey(raw)]));
  const held = new Map(draft.signatures.map((each) => [toHex(each.keyId), each]));
  for (const each of more) {
    const key = keys.get(toHex(each.keyId));
    if (key === undefined)
      throw new RootError("ROOT_DRAFT", "the draft bears a signature of a key that may not sign", { hint: freshDraft });
    verifyEnvelope(decodeEnvelope(encodeEnvelope("root", draft.payload, [each])), key);
    held.set(toHex(each.keyId), each);
  }
  return { ...draft, signatures: [...held.values()] };
}
