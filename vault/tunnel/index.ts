export { VaultMailroom } from "./vault-mailroom.ts";
export { VaultTunnel, type VaultTunnelOptions } from "./vault-tunnel.ts";
