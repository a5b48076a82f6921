import { asBytes, asBytesUpTo, asTuple, decodeTcbor, encodeTcbor, sha256, TcborError } from "../base/index.ts";
import { type SealingKey, type SealingPublicKey, xWingLength } from "../keys/index.ts";
import { maxEscrowBytes } from "./limits.ts";
import { openBody, type Sealed, sealBody } from "./seal.ts";
import { SealError } from "./seal-error.ts";

/** What an escrow blob is bound to: it opens for no other node and beside no other report. */
export interface EscrowContext {
  /** 32 bytes. */
  readonly vaultId: Uint8Array;
  /** The node whose candidates are inside, 20 bytes. */
  readonly nodeId: Uint8Array;
  /** Context bytes (header keys 1 to 30) of the report that carries the blob. */
  readonly reportContext: Uint8Array;
}

/** Seals candidates to the recovery key that the root names; the blob is one byte string. Throws SEAL_TOO_LARGE. */
export function sealEscrow(options: EscrowContext & { recipient: SealingPublicKey; plaintext: Uint8Array }): Uint8Array {
  const { recipient, plaintext } = options;
  const context = contextBytes(options, recipient.keyId);
  const sealed = sealBody({ context, recipient, plaintext, label: "escrow" });
  const blob = encodeTcbor([sealed.encapsulated, sealed.commitment, sealed.ciphertext]);
  if (blob.length > maxEscrowBytes) throw new SealError("SEAL_TOO_LARGE", `escrow blob of ${blob.length} bytes`);
  return blob;
}

/** Opens an escrow blob with the recovery key. Throws SEAL_OPEN_FAILED, whatever the cause. The caller wipes the result. */
export function openEscrow(options: EscrowContext & { key: SealingKey; blob: Uint8Array }): Uint8Array {
  const sealed = readBlob(options.blob);
  return openBody({ ...sealed, context: contextBytes(options, options.key.keyId), key: options.key, label: "escrow" });
}

function readBlob(blob: Uint8Array): Sealed {
  try {
    if (blob.length > maxEscrowBytes) throw failed();
    const [encapsulated, commitment, ciphertext] = asTuple(decodeTcbor(blob), "escrow", 3);
    return {
      encapsulated: asBytes(encapsulated, "escrow.encapsulated", xWingLength.ciphertext),
      commitment: asBytes(commitment, "escrow.commitment", 32),
      ciphertext: asBytesUpTo(ciphertext, "escrow.ciphertext", maxEscrowBytes),
    };
  } catch (cause) {
    if (cause instanceof TcborError) throw failed();
    throw cause;
  }
}

function contextBytes(context: EscrowContext, recoveryKeyId: Uint8Array): Uint8Array {
  const reportDigest = sha256(context.reportContext);
  return encodeTcbor([context.vaultId, context.nodeId, reportDigest, recoveryKeyId]);
}

function failed(): SealError {
  return new SealError("SEAL_OPEN_FAILED", "escrow blob does not open");
}
