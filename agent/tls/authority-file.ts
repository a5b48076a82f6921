import { writeFileDurably } from "../data-folder/index.ts";
import { pemOf } from "./pem.ts";
import type { TlsKeys } from "./tls-options.ts";

/**
 * Writes the certificate of the authority that signed this node's, PEM, for applications that read over TLS. Nothing in it is secret.
 * Does nothing before the vault has sent a certificate.
 */
export function writeAuthorityFile(path: string, keys: TlsKeys): void {
  const authority = keys.chain.at(-1);
  if (authority !== undefined) writeFileDurably(path, Buffer.from(pemOf(authority)));
}
