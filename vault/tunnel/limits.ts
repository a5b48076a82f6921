/** How often the trust that handshakes use is compared with the store, ms: another process may have revoked a node. */
export const trustRefreshMs = 1_000;
