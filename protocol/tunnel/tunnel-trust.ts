/** The other end of a session, as its member statement names it. */
export interface TunnelPeer {
  /** 20 bytes. */
  readonly nodeId: Uint8Array;
  readonly name: string;
  /** 0 vault, 1 gateway, 2 edge. */
  readonly role: number;
  readonly zone: string;
  readonly serial: number;
}

/** A peer with the keys that the handshake checks it by. */
export interface TrustedPeer extends TunnelPeer {
  /** SHA-256 of the SubjectPublicKeyInfo of its TLS key, 32 bytes. */
  readonly tlsKeyHash: Uint8Array;
  verify(message: Uint8Array, signature: Uint8Array): boolean;
}

/** What a handshake asks of the node's trust: a value, not a service. {@link tunnelTrust} makes one of a `TrustState`. */
export interface TunnelTrust {
  /** 32 bytes. */
  readonly vaultId: Uint8Array;
  /** Newest root held. */
  readonly rootVersion: number;
  /** The newest root's TLS CA keys, SubjectPublicKeyInfo in DER. */
  readonly tlsCaKeys: readonly Uint8Array[];
  /** Envelopes for a peer that holds `rootVersion`: the later roots in order, then the revoked list. */
  statementsAbove(rootVersion: number): readonly Uint8Array[];
  /** This trust with `statements` applied, roots first and strictly in order; itself where nothing changed. Throws TRUST_* codes. */
  learn(statements: readonly Uint8Array[]): TunnelTrust;
  /** The member of a statement that verifies under the newest root and is not revoked. Throws TRUST_UNKNOWN, TRUST_REVOKED and others. */
  member(statement: Uint8Array): TrustedPeer;
  /** True where the revoked list names this node. */
  lists(nodeId: Uint8Array): boolean;
  /** True where `peer` took the place of the node `nodeId`, which is revoked. */
  succeeds(peer: TunnelPeer, nodeId: Uint8Array): boolean;
}

/** What TLS proved about this connection; mode `proxy` proves nothing. */
export type ChannelBinding = DirectBinding | { readonly mode: "proxy" };

/** Both ends hold the two ends of one TLS 1.3 connection. */
export interface DirectBinding {
  readonly mode: "direct";
  /** RFC 9266 "EXPORTER-Channel-Binding", 32 bytes; equal at both ends. */
  readonly exporter: Uint8Array;
  /** SHA-256 of the peer certificate's SubjectPublicKeyInfo; null where it showed none. */
  readonly peerKeyHash: Uint8Array | null;
  /** True where the peer's certificate is signed by one of these CA keys; dates are ignored. */
  peerSignedBy(caKeys: readonly Uint8Array[]): boolean;
}
