import { createPublicKey, hash, type X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { assert } from "../../protocol/base/index.ts";
import type { DirectBinding } from "../../protocol/tunnel/index.ts";
import { TlsError } from "./errors.ts";

/** RFC 9266 section 2. */
const exporterLabel = "EXPORTER-Channel-Binding";
const exporterBytes = 32;

/** What a finished TLS handshake proved. Throws TLS_NOT_FRESH where a session was resumed (no certificate is shown in it) or is over. */
export function directBinding(socket: TLSSocket): DirectBinding {
  if (socket.destroyed || socket.isSessionReused() || socket.getProtocol() !== "TLSv1.3") {
    throw new TlsError("TLS_NOT_FRESH", "a resumed session, not TLS 1.3, or over");
  }
  const certificate = socket.getPeerX509Certificate();
  const exporter = new Uint8Array(socket.exportKeyingMaterial(exporterBytes, exporterLabel, Buffer.alloc(0)));
  assert(exporter.length === exporterBytes, "the exporter gives what was asked");
  return {
    mode: "direct",
    exporter,
    peerKeyHash: certificate === undefined ? null : spkiHashOf(certificate),
    peerSignedBy: (caKeys) => certificate !== undefined && signedBy(certificate, caKeys),
  };
}

/** SHA-256 of a certificate's SubjectPublicKeyInfo, 32 bytes. */
export function spkiHashOf(certificate: X509Certificate): Uint8Array {
  return new Uint8Array(hash("sha256", certificate.publicKey.export({ type: "spki", format: "der" }), "buffer"));
}

/** True where one of the CA keys (SubjectPublicKeyInfo, DER) itself signed this certificate and it is no CA's. Dates are not looked at. */
export function signedBy(certificate: X509Certificate, caKeys: readonly Uint8Array[]): boolean {
  if (certificate.ca) return false;
  return caKeys.some((der) => {
    const key = createPublicKey({ key: Buffer.from(der), format: "der", type: "spki" });
    return certificate.verify(key);
  });
}
