import { decodeEnvelope, type Envelope, EnvelopeError, maxCarrierStatements } from "../envelope/index.ts";
import { maxRootsAtOnce } from "./limits.ts";
import { readRoot, type UncheckedRoot } from "./root-chain.ts";
import { TrustError } from "./trust-error.ts";

/** A carrier's statements by kind; nothing is verified yet. */
export interface SortedStatements {
  /** By ascending version. */
  readonly roots: readonly UncheckedRoot[];
  readonly members: readonly Envelope[];
  readonly revoked: readonly Envelope[];
}

/** Decodes and sorts statements. Throws TRUST_TOO_MANY, ENVELOPE_*, TRUST_MALFORMED, KEY_WEAK. */
export function sortStatements(statements: readonly Uint8Array[]): SortedStatements {
  if (statements.length > maxCarrierStatements) throw new TrustError("TRUST_TOO_MANY", `${statements.length} statements`);
  const roots: UncheckedRoot[] = [];
  const members: Envelope[] = [];
  const revoked: Envelope[] = [];
  for (const bytes of statements) {
    const envelope = decodeEnvelope(bytes);
    if (envelope.type === "root") roots.push(readRoot(envelope));
    else if (envelope.type === "member") members.push(envelope);
    else if (envelope.type === "revoked") revoked.push(envelope);
    else throw new EnvelopeError("ENVELOPE_TYPE", `${envelope.type} among the statements`);
  }
  if (roots.length > maxRootsAtOnce) throw new TrustError("TRUST_TOO_MANY", `${roots.length} roots`);
  roots.sort((a, b) => a.document.version - b.document.version);
  return { roots, members, revoked };
}
