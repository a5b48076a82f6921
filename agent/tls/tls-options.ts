import { constants } from "node:crypto";
import type { SecureContextOptions, TlsOptions } from "node:tls";
import type { TlsIdentity } from "../identity/index.ts";
import { pemOf } from "./pem.ts";

/** A node's TLS key and certificates, own first. */
export type TlsKeys = Pick<TlsIdentity, "key" | "chain">;

/**
 * What both ends have in common: TLS 1.3 only, and nothing judged by the library. Dates are not looked at (a node whose clock stands at
 * 1970 must still learn the time) and names mean nothing: the tunnel's handshake checks key and CA against member statement and root.
 */
const common = { minVersion: "TLSv1.3", maxVersion: "TLSv1.3", rejectUnauthorized: false } as const;

/** Options of a tunnel server: asks for a certificate and takes a connection without one, for the join path. No session tickets. */
export function serverTlsOptions(keys: TlsKeys): TlsOptions {
  return { ...common, ...ownCertificate(keys), requestCert: true, secureOptions: constants.SSL_OP_NO_TICKET };
}

/** Options of a tunnel client; null for a node that has no certificate yet. */
export function clientTlsOptions(keys: TlsKeys | null): ClientTlsOptions {
  // No server name: nodes are found by address, and an inspecting middlebox has nothing to route by.
  return { ...common, servername: "", ...(keys === null ? {} : ownCertificate(keys)) };
}

export interface ClientTlsOptions extends SecureContextOptions {
  readonly servername: string;
  readonly rejectUnauthorized: false;
}

function ownCertificate(keys: TlsKeys): { key: string; cert: string } {
  const cert = keys.chain.map(pemOf);
  return { key: keys.key.export({ type: "pkcs8", format: "pem" }).toString(), cert: cert.join("") };
}
