export type { StreamHead } from "./stream-head.ts";
export type { ChannelBinding, DirectBinding, TrustedPeer, TunnelPeer, TunnelTrust } from "./tunnel-trust.ts";
