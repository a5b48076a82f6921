import type { OpenedBundle } from "../../protocol/bundle/index.ts";
import { applyStatements } from "../../protocol/trust/index.ts";
import type { Transaction } from "../store/index.ts";
import { type NodeParts, streamEvent } from "./node-parts.ts";
import type { NodeDraft } from "./node-records.ts";

/** Applies statements durably; true where they changed anything. Throws TRUST_* and others. */
export function learnStatements(parts: NodeParts, statements: readonly Uint8Array[]): boolean {
  const { state: trust, changes } = applyStatements(parts.records.current.trust, statements);
  if (changes.length === 0) return false;
  return parts.records.change((tx, draft) => draftTrust(parts, tx, draft, { trust, trustChanges: changes }));
}

/** Takes verified statements into the draft, with a leaf for each new root; false where they changed nothing. */
export function draftTrust(
  parts: NodeParts,
  tx: Transaction,
  draft: NodeDraft,
  { trust, trustChanges }: Pick<OpenedBundle, "trust" | "trustChanges">,
): boolean {
  if (trustChanges.length === 0) return false;
  draft.trust = trust;
  for (const change of trustChanges) {
    if (change.kind !== "root") continue;
    const details = { version: change.version, vaultEpoch: change.vaultEpoch };
    parts.audit.append(tx, streamEvent(parts, "root.accept", { details }));
  }
  return true;
}
