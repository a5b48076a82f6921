import type { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { TLSSocket } from "node:tls";
import { certificatesOf, isVouchedFor } from "../tls/index.ts";
import { LinkError } from "./errors.ts";
import { maxInspectionCaBytes } from "./limits.ts";

/** The certificates of a PEM file. Throws LINK_INSPECTION_CA. */
export function readAuthorities(path: string): X509Certificate[] {
  try {
    const text = readFileSync(path, "utf8");
    const authorities = text.length > maxInspectionCaBytes ? [] : certificatesOf(text);
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
  const shown = socket.getPeerX509Certificate();
  if (shown !== undefined && isVouchedFor(shown, authorities)) return;
  throw new LinkError("LINK_INSPECTION_CA", "what ended TLS is not vouched for by the configured authority", {
    hint: "Put the inspecting proxy's own authority into the file of proxy.inspectionCa, or take the key out where nothing inspects.",
  });
}
