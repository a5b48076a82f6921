import type { AuditEvent } from "../../protocol/audit/index.ts";
import { toHex } from "../../protocol/base/index.ts";
import type { OpenedBundle } from "../../protocol/bundle/index.ts";
import { nodeIdText } from "../../protocol/keys/index.ts";
import { applyStatements, newestRoot } from "../../protocol/trust/index.ts";
import type { Transaction } from "../store/index.ts";
import { followRevocations } from "./lost-revocations.ts";
import { type NodeParts, streamEvent } from "./node-parts.ts";
import type { NodeDraft } from "./node-records.ts";

/** How a root is refused that contradicts one that is held, both signed by keys that may. */
export const rootFork = "TRUST_ROOT_FORK";

/** The leaf of two roots under one version; the details are of the newest that is held. */
export function forkedRoot(parts: NodeParts): AuditEvent {
  const { id, document } = newestRoot(parts.records.current.trust);
  return {
    action: "root.fork",
    actor: { kind: "node", id: nodeIdText(parts.identity.keys.nodeId) },
    subject: { kind: "root", id: "roots" },
    outcome: "failed",
    code: rootFork,
    details: { version: document.version, id: toHex(id) },
  };
}

/** Applies statements durably; true where they changed anything. Throws TRUST_* and others. */
export function learnStatements(parts: NodeParts, statements: readonly Uint8Array[]): boolean {
  const { state: trust, changes } = applyStatements(parts.records.current.trust, statements);
  if (changes.length === 0) return false;
  return parts.records.change((tx, draft) => draftTrust(parts, tx, draft, { trust, trustChanges: changes }));
}

/** Takes verified statements into the draft, with a leaf for each new root and an alarm for each revocation that got lost; false where they changed nothing. */
export function draftTrust(
  parts: NodeParts,
  tx: Transaction,
  draft: NodeDraft,
  { trust, trustChanges }: Pick<OpenedBundle, "trust" | "trustChanges">,
): boolean {
  if (trustChanges.length === 0) return false;
  const before = draft.trust.revoked?.list ?? null;
  draft.trust = trust;
  const after = trust.revoked?.list ?? null;
  if (after !== null && after !== before) followRevocations(parts, tx, before, after);
  for (const change of trustChanges) {
    if (change.kind !== "root") continue;
    const details = { version: change.version, vaultEpoch: change.vaultEpoch };
    parts.audit.append(tx, streamEvent(parts, "root.accept", { details }));
  }
  return true;
}
