import { sha256 } from "../base/index.ts";
import { encodeCarrier, issueEnvelope } from "../envelope/index.ts";
import type { SealingPublicKey, SigningKey } from "../keys/index.ts";
import { sealBody } from "../seal/index.ts";
import { type BundleBody, encodeBody } from "./body.ts";
import { encodeContext, encodeHeader, type HeaderContext } from "./header.ts";
import { direction } from "./header-fields.ts";

export interface BuildOptions {
  /** The header, but for who signs and what it is sealed to: those come from the keys. */
  readonly header: Omit<HeaderContext, "signer" | "sealingKeyId">;
  /** The body, or what makes it once the context's bytes are fixed: an escrow is bound to them. */
  readonly body: BundleBody | ((context: Uint8Array) => BundleBody);
  readonly signer: SigningKey;
  readonly recipientKey: SealingPublicKey;
  /** Root, member and revoked envelopes that the recipient may lack. */
  readonly statements?: readonly Uint8Array[];
}

/** An issued item. A re-export sends these bytes again: sealed anew it would have another id and be a fork. */
export interface BuiltBundle {
  readonly carrier: Uint8Array;
  /** 32 bytes. */
  readonly id: Uint8Array;
  readonly seq: number;
}

/** Seals and signs a bundle (down) or a report (up). Throws BUNDLE_TOO_LARGE. */
export function buildBundle({ header, body, signer, recipientKey, statements = [] }: BuildOptions): BuiltBundle {
  const contextFields: HeaderContext = { ...header, signer: signer.keyId, sealingKeyId: recipientKey.keyId };
  const context = encodeContext(contextFields);
  const plaintext = encodeBody(typeof body === "function" ? body(context) : body, header);
  const { encapsulated, commitment, ciphertext } = sealBody({ context, recipient: recipientKey, plaintext });
  plaintext.fill(0);
  const seal = {
    encapsulated,
    commitment,
    ciphertextLength: ciphertext.length,
    ciphertextHash: sha256(ciphertext),
  };
  const type = header.direction === direction.down ? "bundle" : "report";
  const payload = encodeHeader({ ...contextFields, ...seal });
  const { envelope, id } = issueEnvelope(type, payload, [signer]);
  return { carrier: encodeCarrier({ statements, envelope, body: ciphertext }), id, seq: header.seq };
}
