import { sameBytes, sha256 } from "../base/index.ts";
import type { SealingKey } from "../keys/index.ts";
import { openBody } from "../seal/index.ts";
import { type BundleBody, decodeBody } from "./body.ts";
import { BundleError } from "./errors.ts";
import { type Judgement, judge } from "./judge.ts";
import type { ReceiverState } from "./receiver-state.ts";
import { type VerifiedBundle, type VerifyOptions, verifyBundle } from "./verify-bundle.ts";

export interface OpenBundleOptions extends VerifyOptions {
  /** The receiving end of the stream that the item claims to belong to. */
  readonly receiver: ReceiverState;
  /** The receiver's sealing keys, the older ones that items under way were sealed to included. */
  readonly sealingKeys: readonly SealingKey[];
}

/** A verified item, what is to be done with it and, where that is "apply", its body. */
export type OpenedBundle = VerifiedBundle &
  (
    | { readonly judgement: Extract<Judgement, { verdict: "apply" }>; readonly body: BundleBody }
    | { readonly judgement: Exclude<Judgement, { verdict: "apply" }>; readonly body: null }
  );

/**
 * Verifies, judges and, where it is to be applied, opens an item: the whole order of SPEC.md section 11 but `applyBody`. Throws as
 * {@link verifyBundle} and {@link openVerified}; what the stream refuses is in `judgement`. The vault, which learns from the
 * signature whose stream it is, calls the parts.
 */
export function openBundle(carrierBytes: Uint8Array, options: OpenBundleOptions): OpenedBundle {
  const verified = verifyBundle(carrierBytes, options);
  const judgement = judge(options.receiver, verified.header, verified.id);
  if (judgement.verdict === "hold") requireSignedBody(verified);
  if (judgement.verdict !== "apply") return { ...verified, judgement, body: null };
  return { ...verified, judgement, body: openVerified(verified, options.sealingKeys) };
}

/**
 * Refuses an item whose sealed body is not the signed one, also where it is only kept for later: a carrier is unsigned, and a body put
 * in its place would block the good one. Throws BUNDLE_BODY_LENGTH, BUNDLE_BODY_HASH.
 */
export function requireSignedBody({ header, ciphertext }: VerifiedBundle): void {
  if (ciphertext.length !== header.ciphertextLength)
    throw new BundleError("BUNDLE_BODY_LENGTH", `${ciphertext.length} bytes, the header says ${header.ciphertextLength}`);
  if (!sameBytes(sha256(ciphertext), header.ciphertextHash))
    throw new BundleError("BUNDLE_BODY_HASH", "the body is not the one that was signed");
}

/**
 * Opens the body of an item that was judged "apply". Throws BUNDLE_BODY_LENGTH, BUNDLE_BODY_HASH, BUNDLE_WRONG_KEY,
 * SEAL_OPEN_FAILED, BUNDLE_BODY_SHAPE, BUNDLE_ENTRY_TOO_LARGE.
 */
export function openVerified(verified: VerifiedBundle, sealingKeys: readonly SealingKey[]): BundleBody {
  requireSignedBody(verified);
  const { header, context, ciphertext } = verified;
  const key = sealingKeys.find((held) => sameBytes(held.keyId, header.sealingKeyId));
  if (key === undefined) throw new BundleError("BUNDLE_WRONG_KEY", "sealed to a key that is not held");
  const { encapsulated, commitment } = header;
  const plaintext = openBody({ context, key, encapsulated, commitment, ciphertext });
  try {
    return decodeBody(plaintext, header);
  } finally {
    plaintext.fill(0);
  }
}
