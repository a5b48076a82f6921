import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { TLSSocket } from "node:tls";
import { LinkError } from "./errors.ts";
import { maxInspectionCaBytes } from "./limits.ts";

/** Certificates between the one shown and the authority. */
const maxIntermediates = 4;

/** The certificates of a PEM file. Throws LINK_INSPECTION_CA. */
export function readAuthorities(path: string): X509Certificate[] {
  try {
    const text = readFileSync(path, "utf8");
    const blocks =
      text.length > maxInspectionCaBytes ? [] : text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
    const authorities = (blocks ?? []).map((block) => new X509Certificate(block));
    if (authorities.length > 0) return authorities;
  } catch (cause) {
    throw new LinkError("LINK_INSPECTION_CA", `cannot read certificates from ${path}`, { cause });
  }
  throw new LinkError("LINK_INSPECTION_CA", `no certificate in ${path}`, {
    hint: "proxy.inspectionCa names a PEM file with the authority of the proxy that inspects TLS.",
  });
}

/**
 * Who ends TLS must be vouched for by one of the proxy's authorities. Dates and names are not looked at: a clock at 1970 must still learn
 * the time, and who the other node is, its own handshake proves. Throws LINK_INSPECTION_CA.
 */
export function requireInspector(socket: TLSSocket, authorities: readonly X509Certificate[]): void {
  let certificate = socket.getPeerX509Certificate();
  for (let depth = 0; certificate !== undefined && depth <= maxIntermediates; depth += 1) {
    const shown: X509Certificate = certificate;
    if (authorities.some((authority) => shown.checkIssued(authority) && shown.verify(authority.publicKey))) return;
    const issuer: X509Certificate | undefined = shown.issuerCertificate;
    if (issuer === undefined || !issuer.ca || !shown.checkIssued(issuer) || !shown.verify(issuer.publicKey)) break;
    certificate = issuer;
  }
  throw new LinkError("LINK_INSPECTION_CA", "what ended TLS is not vouched for by the configured authority", {
    hint: "Put the inspecting proxy's own authority into the file of proxy.inspectionCa, or take the key out where nothing inspects.",
  });
}
