import { sameBytes } from "../base/index.ts";
import type { TreeHead } from "./checkpoint.ts";
import { AuditError } from "./errors.ts";
import { verifyConsistency } from "./proof-verify.ts";

/** Head of a node's log as headers carry it: which of its logs, and its tree. */
export interface LogHead extends TreeHead {
  readonly serial: number;
}

/**
 * What a peer's newly told head is against the one that we last held proven:
 * `proven` store it as the new anchor · `same` nothing new · `unproven` no proof that fits, keep the old one ·
 * `shorter` the log lost leaves · `forked` one size, two roots, or a proof that fails · `reopened` a later log of the node, to be
 * proven by its first leaf, which quotes the old one.
 */
export type PeerHeadVerdict = "proven" | "same" | "unproven" | "shorter" | "forked" | "reopened";

/** Judges a peer's head. `proof` goes from `proof.from` leaves to the told head; null where the item bore none. */
export function judgePeerHead(
  held: LogHead | null,
  told: LogHead,
  proof: { readonly serial: number; readonly from: number; readonly hashes: readonly Uint8Array[] } | null,
): PeerHeadVerdict {
  if (held === null) return "proven";
  if (told.serial !== held.serial) return told.serial > held.serial ? "reopened" : "shorter";
  if (told.size < held.size) return "shorter";
  if (told.size === held.size) return sameBytes(told.root, held.root) ? "same" : "forked";
  if (held.size === 0) return "proven";
  if (proof === null || proof.serial !== told.serial || proof.from !== held.size) return "unproven";
  try {
    verifyConsistency(held, told, proof.hashes);
    return "proven";
  } catch (error) {
    if (error instanceof AuditError) return "forked";
    throw error;
  }
}
