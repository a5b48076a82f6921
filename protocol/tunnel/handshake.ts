import { type Random, sameBytes } from "../base/index.ts";
import { type AgreementKey, agreementKeyFromSeed, KeyError, type SigningKey } from "../keys/index.ts";
import { TunnelError } from "./errors.ts";
import type { StreamHead } from "./stream-head.ts";
import type { SessionKeys } from "./transcript.ts";
import type { ChannelBinding, TrustedPeer, TunnelTrust } from "./tunnel-trust.ts";

/** The version of the tunnel that this code speaks. */
export const tunnelVersion = 1;

/** What both roles bring to a handshake. */
export interface HandshakeOptions {
  /** Our node id, 20 bytes. */
  readonly nodeId: Uint8Array;
  /** Our member statement: an envelope's bytes. */
  readonly member: Uint8Array;
  readonly signing: SigningKey;
  readonly trust: TunnelTrust;
  readonly binding: ChannelBinding;
  readonly random: Random;
}

/** What a finished handshake leaves. */
export interface HandshakeResult {
  readonly peer: TrustedPeer;
  /** The dialler's number of this session. */
  readonly counter: number;
  /** The dialler's heads in M3. */
  readonly heads: readonly StreamHead[];
  readonly keys: SessionKeys;
}

/** The wire's number of the mode. */
export function modeNumber(binding: ChannelBinding): number {
  return binding.mode === "direct" ? 1 : 0;
}

/** What TLS adds to the transcript and to the keys: 32 bytes, or none in mode proxy. */
export function exporterOf(binding: ChannelBinding): Uint8Array {
  return binding.mode === "direct" ? binding.exporter : new Uint8Array(0);
}

/** A fresh X25519 key of the session. */
export function ephemeralKey(random: Random): AgreementKey {
  const seed = random(32);
  const key = agreementKeyFromSeed(seed);
  seed.fill(0);
  return key;
}

/** X25519 with the peer's ephemeral. Throws TUNNEL_WEAK_EXCHANGE where the result is all zero. */
export function agree(own: AgreementKey, peerEphemeral: Uint8Array): Uint8Array {
  try {
    return own.agree(peerEphemeral);
  } catch (cause) {
    if (cause instanceof KeyError) throw new TunnelError("TUNNEL_WEAK_EXCHANGE", "key agreement refused", { cause });
    throw cause;
  }
}

/** The member behind `statement`, which must be `nodeId` and hold the key that TLS saw. Throws TUNNEL_* and TRUST_* codes. */
export function trustPeer(options: {
  trust: TunnelTrust;
  binding: ChannelBinding;
  statement: Uint8Array;
  nodeId: Uint8Array;
}): TrustedPeer {
  const { trust, binding, statement, nodeId } = options;
  const peer = trust.member(statement);
  if (!sameBytes(peer.nodeId, nodeId)) throw new TunnelError("TUNNEL_WRONG_PEER", "member statement of another node");
  if (binding.mode === "proxy") return peer;
  if (binding.peerKeyHash === null || !sameBytes(binding.peerKeyHash, peer.tlsKeyHash)) {
    throw new TunnelError("TUNNEL_TLS_KEY", "the certificate's key is not the member statement's");
  }
  if (!binding.peerSignedBy(trust.tlsCaKeys)) {
    throw new TunnelError("TUNNEL_TLS_CHAIN", "the certificate is not signed by a CA key of the root");
  }
  return peer;
}
