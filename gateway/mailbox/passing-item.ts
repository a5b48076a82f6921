import { sameBytes } from "../../protocol/base/index.ts";
import {
  type BundleHeader,
  bundleKind,
  direction,
  requireSignedBody,
  type StreamHead,
  verifyBundle,
} from "../../protocol/bundle/index.ts";
import type { TrustState } from "../../protocol/trust/index.ts";
import { GatewayError } from "../errors.ts";

/** Which way an item travels past the gateway. */
export type Way = "down" | "up";

/** What a gateway can say of an item that it cannot open: its signed header. */
export interface PassingItem {
  /** The edge whose stream it belongs to. */
  readonly edge: Uint8Array;
  readonly way: Way;
  readonly place: StreamHead;
  readonly snapshot: boolean;
  /** What the sender acknowledges of the other way. */
  readonly ack: StreamHead | null;
}

/**
 * Verifies the signature and the header of an item on its way down to `edge`, or up from it, and that its body is the signed one.
 * Throws what `verifyBundle` throws, BUNDLE_BODY_LENGTH, BUNDLE_BODY_HASH and GATEWAY_NOT_FOR_HERE.
 */
export function verifyPassing(
  carrier: Uint8Array,
  options: { readonly way: Way; readonly edge: Uint8Array; readonly trust: TrustState; readonly vaultMailbox: Uint8Array },
): PassingItem {
  const { way, edge, trust, vaultMailbox } = options;
  const recipient = way === "down" ? edge : vaultMailbox;
  const verified = verifyBundle(carrier, { direction: direction[way], trust, recipient });
  if (way === "up" && (verified.signerNode === null || !sameBytes(verified.signerNode, edge))) {
    throw new GatewayError("GATEWAY_NOT_FOR_HERE", "a report that its bearer did not sign");
  }
  // A damaged body would take the place of the good one and be refused only at its recipient.
  requireSignedBody(verified);
  const { header, id } = verified;
  return { edge, way, place: placeOf(header, id), snapshot: header.kind === bundleKind.snapshot, ack: header.ack };
}

function placeOf(header: BundleHeader, id: Uint8Array): StreamHead {
  return { epoch: header.vaultEpoch, seq: header.seq, id };
}
