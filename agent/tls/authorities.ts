import { X509Certificate } from "node:crypto";

/** Certificates between the one shown and the authority. */
const maxIntermediates = 4;

/** The certificates of a PEM file's text, in its order; none where there are none. Throws what X509Certificate throws for a damaged one. */
export function certificatesOf(text: string): X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  return (blocks ?? []).map((block) => new X509Certificate(block));
}

/**
 * True where one of `authorities` signed what was shown, through intermediates that came with it. Dates are not looked at: a clock that
 * stands at 1970 must not shut a node off.
 */
export function isVouchedFor(shown: X509Certificate, authorities: readonly X509Certificate[]): boolean {
  let certificate = shown;
  for (let depth = 0; depth <= maxIntermediates; depth += 1) {
    const current = certificate;
    if (authorities.some((authority) => current.checkIssued(authority) && current.verify(authority.publicKey))) return true;
    const issuer: X509Certificate | undefined = current.issuerCertificate;
    if (issuer === undefined || !issuer.ca || !current.checkIssued(issuer) || !current.verify(issuer.publicKey)) return false;
    certificate = issuer;
  }
  return false;
}
