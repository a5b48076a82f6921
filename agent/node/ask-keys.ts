import { createPublicKey } from "node:crypto";
import { sameBytes, utf8 } from "../../protocol/base/index.ts";
import { decodeCarrier, decodeEnvelope, encodeCarrier } from "../../protocol/envelope/index.ts";
import { type EnrolmentCode, makeJoinRequest } from "../../protocol/join/index.ts";
import type { SigningKey } from "../../protocol/keys/index.ts";
import type { NodeIdentity } from "../identity/index.ts";
import type { Transaction, View } from "../store/index.ts";
import { NodeError } from "./errors.ts";

/** What a request for a first statement, or for one about new keys, is sent with. */
export interface JoinAsk {
  /** The request. */
  readonly carrier: Uint8Array;
  /** Of the request's envelope, 32 bytes. */
  readonly id: Uint8Array;
  /** The node that asks; the answer is for it. */
  readonly nodeId: Uint8Array;
  /** 16 bytes that the answer names. */
  readonly nonce: Uint8Array;
  /** The key that signed the request. */
  readonly signing: SigningKey;
}

/** A request as it is kept until it is answered. */
export interface KeptRequest {
  readonly nonce: Uint8Array;
  readonly carrier: Uint8Array;
}

/** Longest request that is read back. */
export const maxRequestBytes = 64 * 1024;

const codes = "codes";
const spentRow = utf8("spent");

/** Keeps which code this node got its keys with. */
export function noteSpent(tx: Transaction, codeId: Uint8Array): void {
  tx.put(codes, spentRow, codeId);
}

/** Throws NODE_CODE_SPENT for the code that this node got its keys with: the vault would refuse it, by stick a round later. */
export function requireUnspent(view: View, codeId: Uint8Array): void {
  const spent = view.get(codes, spentRow);
  if (spent !== null && sameBytes(spent, codeId)) {
    throw new NodeError("NODE_CODE_SPENT", "this node has its keys from this code already", {
      hint: "The node only has to be started. For other keys get a new code at the vault: tidegate node rekey NAME",
    });
  }
}

/** Makes the carrier of a request for a statement about these keys; `replaces` names the node that they are new for, null for a new one. */
export function makeRequest(
  identity: NodeIdentity,
  { code, nonce, replaces }: { readonly code: EnrolmentCode; readonly nonce: Uint8Array; readonly replaces: Uint8Array | null },
): KeptRequest {
  const envelope = makeJoinRequest({
    code,
    signing: identity.signing,
    sealKey: identity.sealing.publicKey,
    tlsKeyHash: identity.tls.spkiHash,
    logKey: identity.log.publicKey,
    epochKey: identity.epochKey,
    nonce,
    replaces,
  });
  const spki = new Uint8Array(createPublicKey(identity.tls.key).export({ format: "der", type: "spki" }));
  return { nonce, carrier: encodeCarrier({ statements: [], envelope, body: spki }) };
}

/** The request as it is sent. */
export function askOf({ carrier, nonce }: KeptRequest, { nodeId, signing }: NodeIdentity): JoinAsk {
  const { id } = decodeEnvelope(decodeCarrier(carrier).envelope);
  return { carrier, id, nodeId, nonce, signing };
}
