import {
  AuditError,
  checkpointText,
  cosignedNote,
  decodeNote,
  originOf,
  verifyCosignature,
  witnessKeyName,
} from "../../protocol/audit/index.ts";
import type { AuditHead, HeadCosignature } from "../../protocol/bundle/index.ts";
import { importVerifyKey, nodeIdText } from "../../protocol/keys/index.ts";
import { newestRoot, type TrustState } from "../../protocol/trust/index.ts";
import type { Transaction } from "../store/index.ts";
import type { NodeParts } from "./node-parts.ts";

/**
 * Keeps what the vault as a witness says of our head, where it is by a witness key of the newest root: an export carries it, and an auditor
 * takes it for an anchor. One that does not verify is left out.
 */
export function takeCosignature(
  { audit, log }: Pick<NodeParts, "audit" | "log">,
  tx: Transaction,
  told: { head: AuditHead; cosignature: HeadCosignature; trust: TrustState; witness: Uint8Array },
): void {
  const { head, cosignature, trust, witness } = told;
  if (head.serial !== audit.name.serial) return;
  const { witnessKeys, trustDomain } = newestRoot(trust).document;
  const name = witnessKeyName(trustDomain, nodeIdText(witness));
  const text = checkpointText(originOf({ ...audit.name, serial: head.serial }), head);
  const note = witnessKeys
    .map((publicKey) => cosignedNote(text, { name, publicKey }, cosignature))
    .find((each, at) => isBy(each, name, witnessKeys[at]));
  if (note === undefined) log.warn("audit.cosignature-refused", { code: "AUDIT_CHECKPOINT_UNSIGNED", size: head.size });
  else audit.storeCosigned(tx, note);
}

function isBy(note: Uint8Array, name: string, publicKey: Uint8Array | undefined): boolean {
  if (publicKey === undefined) return false;
  try {
    return verifyCosignature(decodeNote(note), { name, key: importVerifyKey(publicKey) }) !== null;
  } catch (error) {
    if (error instanceof AuditError) return false;
    throw error;
  }
}
