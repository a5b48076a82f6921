import { encodeTcbor } from "../base/index.ts";
import { pae, typeText } from "../envelope/index.ts";
import type { Leaf } from "./leaf.ts";
import { hashLength } from "./tree-hash.ts";

/** What the key of epoch N says before it is erased: that `publicKey` signs from `from` leaves on. */
export interface Succession {
  /** N + 1. */
  readonly epoch: number;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Size of the final checkpoint of epoch N, and so the index of the leaf that says this. */
  readonly from: number;
}

/** The bytes that the key of epoch N signs to name its successor. */
export function successionMessage(origin: string, succession: Succession): Uint8Array {
  const { epoch, publicKey, from } = succession;
  return pae(typeText("epoch"), encodeTcbor([origin, epoch, publicKey, from]));
}

/** The details of an `audit.epoch` leaf; `sign` is the key of the epoch that ends. */
export function successionDetails(origin: string, succession: Succession, sign: (message: Uint8Array) => Uint8Array) {
  return {
    epoch: succession.epoch,
    from: succession.from,
    key: Buffer.from(succession.publicKey).toString("base64"),
    signature: Buffer.from(sign(successionMessage(origin, succession))).toString("base64"),
  };
}

/** Reads an `audit.epoch` leaf; null where its details are not those of a succession. */
export function successionOf(leaf: Leaf): (Succession & { readonly signature: Uint8Array }) | null {
  const { epoch, from, key, signature } = leaf.details;
  if (typeof epoch !== "number" || typeof from !== "number") return null;
  const publicKey = bytesOf(key, hashLength);
  const signatureBytes = bytesOf(signature, 64);
  return publicKey === null || signatureBytes === null ? null : { epoch, from, publicKey, signature: signatureBytes };
}

function bytesOf(value: unknown, length: number): Uint8Array | null {
  if (typeof value !== "string") return null;
  const bytes = Buffer.from(value, "base64");
  return bytes.length === length && bytes.toString("base64") === value ? new Uint8Array(bytes) : null;
}
