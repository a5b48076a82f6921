import { generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import type { Random } from "../../protocol/base/index.ts";
import { importPrivateKey, issueCertificate, publicKeyInfo } from "./certificate.ts";

/** A new authority: its private key (PKCS#8, DER; the caller seals and wipes it) and its own certificate. */
export function createAuthority(options: { name: string; nowMs: number; random: Random }): {
  privateKey: Uint8Array;
  certificate: string;
} {
  // OpenSSL's own generator: a P-256 key cannot be made from a seed by node:crypto.
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const certificate = issueCertificate({
    subject: { commonName: options.name, hosts: [], authority: true },
    publicKey: publicKeyInfo(privateKey),
    issuerName: options.name,
    issuerKey: privateKey,
    notBeforeMs: options.nowMs,
    random: options.random,
  });
  return { privateKey: new Uint8Array(privateKey.export({ format: "der", type: "pkcs8" })), certificate };
}

/** The vault's certificate authority: signs long-lived certificates for the TLS keys of nodes. */
export class Authority {
  readonly certificate: string;
  readonly #key: KeyObject;
  readonly #name: string;

  constructor(options: { privateKey: Uint8Array; certificate: string }) {
    this.#key = importPrivateKey(options.privateKey);
    this.certificate = options.certificate;
    this.#name = commonName(new X509Certificate(options.certificate));
  }

  /** A certificate (PEM) for a node's P-256 key (SubjectPublicKeyInfo, DER). Throws CA_NAME_REFUSED and CA_KEY_REFUSED. */
  issue(request: {
    commonName: string;
    hosts: readonly string[];
    publicKey: Uint8Array;
    nowMs: number;
    random: Random;
  }): string {
    return issueCertificate({
      subject: { commonName: request.commonName, hosts: request.hosts, authority: false },
      publicKey: request.publicKey,
      issuerName: this.#name,
      issuerKey: this.#key,
      notBeforeMs: request.nowMs,
      random: request.random,
    });
  }
}

function commonName(certificate: X509Certificate): string {
  return certificate.subject.replace(/^CN=/, "");
}
