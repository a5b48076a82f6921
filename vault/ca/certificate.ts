import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import forge from "node-forge";
import type { Random } from "../../protocol/base/index.ts";
import { CaError } from "./codes.ts";

const { asn1, pki } = forge;
type Asn1 = forge.asn1.Asn1;
// Exported by node-forge, missing from its type declarations.
const { certificateExtensionsToAsn1: extensionsToAsn1 } = pki as unknown as {
  certificateExtensionsToAsn1(list: unknown[]): Asn1;
};

/** What stands in a certificate besides the keys. */
export interface CertificateSubject {
  readonly commonName: string;
  /** DNS names and IP addresses a client may have dialled; empty for the authority itself. */
  readonly hosts: readonly string[];
  readonly authority: boolean;
}

export interface CertificateIssue {
  readonly subject: CertificateSubject;
  /** SubjectPublicKeyInfo, DER, of a P-256 key. */
  readonly publicKey: Uint8Array;
  readonly issuerName: string;
  readonly issuerKey: KeyObject;
  /** Milliseconds since 1970. */
  readonly notBeforeMs: number;
  readonly random: Random;
}

/** RFC 5280 section 4.1.2.5: "no well-defined expiration date". The member statement, not a date, ends a node's standing. */
const noExpiry = "99991231235959Z";
const oid = {
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  subjectKeyIdentifier: "2.5.29.14",
  authorityKeyIdentifier: "2.5.29.35",
};

/** Builds, signs and re-reads one X.509 v3 certificate; PEM. Throws CA_NAME_REFUSED and CA_KEY_REFUSED. */
export function issueCertificate(issue: CertificateIssue): string {
  const publicKey = p256PublicKey(issue.publicKey);
  for (const host of issue.subject.hosts) {
    if (
      isIP(host) === 0 &&
      !/^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i.test(host)
    ) {
      throw new CaError("CA_NAME_REFUSED", `"${host}" is neither a DNS name nor an IP address`);
    }
  }
  const toBeSigned = bytesOf(tbsCertificate(issue));
  const signature = sign("sha256", toBeSigned, { key: issue.issuerKey, dsaEncoding: "der" });
  const certificate = sequence(
    readDer(toBeSigned),
    algorithm(),
    primitive(asn1.Type.BITSTRING, `\0${Buffer.from(signature).toString("latin1")}`),
  );
  const parsed = new X509Certificate(bytesOf(certificate));
  // Node's own parser is what every peer will use; what it reads otherwise than meant must not leave the vault.
  if (!parsed.publicKey.equals(publicKey))
    throw new CaError("CA_KEY_REFUSED", "the certificate does not hold the key it was asked for");
  return parsed.toString();
}

/** A private key from PKCS#8, DER. */
export function importPrivateKey(pkcs8: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });
}

/** The SubjectPublicKeyInfo of a private key, DER. */
export function publicKeyInfo(key: KeyObject): Uint8Array {
  return new Uint8Array(createPublicKey(key).export({ format: "der", type: "spki" }));
}

function p256PublicKey(spki: Uint8Array): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  } catch (cause) {
    throw new CaError("CA_KEY_REFUSED", `not a public key: ${cause instanceof Error ? cause.message : "unreadable"}`);
  }
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") throw new CaError("CA_KEY_REFUSED", "expected a key on P-256");
  return key;
}

function tbsCertificate(issue: CertificateIssue): Asn1 {
  const serial = issue.random(16);
  // Positive and never shortened: RFC 5280 section 4.1.2.2.
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return sequence(
    asn1.create(asn1.Class.CONTEXT_SPECIFIC, 0, true, [primitive(asn1.Type.INTEGER, "\x02")]),
    primitive(asn1.Type.INTEGER, Buffer.from(serial).toString("latin1")),
    algorithm(),
    distinguishedName(issue.issuerName),
    sequence(time(issue.notBeforeMs), primitive(asn1.Type.GENERALIZEDTIME, noExpiry)),
    distinguishedName(issue.subject.commonName),
    readDer(issue.publicKey),
    extensions(issue),
  );
}

function extensions(issue: CertificateIssue): Asn1 {
  const holder = pki.createCertificate();
  const { authority, hosts } = issue.subject;
  holder.setExtensions([
    { name: "basicConstraints", cA: authority, critical: true, ...(authority ? { pathLenConstraint: 0 } : {}) },
    authority
      ? { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true }
      : { name: "keyUsage", digitalSignature: true, critical: true },
    ...(authority ? [] : [{ name: "extKeyUsage", serverAuth: true, clientAuth: true }]),
    ...(hosts.length === 0 ? [] : [{ name: "subjectAltName", altNames: hosts.map(altName) }]),
    { id: oid.subjectKeyIdentifier, value: keyIdentifier(issue.publicKey, asn1.Class.UNIVERSAL, asn1.Type.OCTETSTRING) },
    {
      id: oid.authorityKeyIdentifier,
      value: sequence(keyIdentifier(publicKeyInfo(issue.issuerKey), asn1.Class.CONTEXT_SPECIFIC, 0)),
    },
  ]);
  return extensionsToAsn1(holder.extensions);
}

function altName(host: string): { type: number; value?: string; ip?: string } {
  return isIP(host) === 0 ? { type: 2, value: host } : { type: 7, ip: host };
}

/** RFC 7093 section 2 (1): the leftmost 160 bits of SHA-256 over the public key's bits. */
function keyIdentifier(spki: Uint8Array, tagClass: forge.asn1.Class, tag: number): Asn1 {
  const point = spki.subarray(spki.length - 65);
  const digest = createHash("sha256").update(point).digest().subarray(0, 20).toString("latin1");
  return asn1.create(tagClass, tag, false, digest);
}

/** UTCTime up to 2049, GeneralizedTime after: RFC 5280 section 4.1.2.5. */
function time(ms: number): Asn1 {
  const date = new Date(ms);
  return date.getUTCFullYear() < 2050
    ? primitive(asn1.Type.UTCTIME, asn1.dateToUtcTime(date) as unknown as string)
    : primitive(asn1.Type.GENERALIZEDTIME, asn1.dateToGeneralizedTime(date) as unknown as string);
}

function distinguishedName(commonName: string): Asn1 {
  const holder = pki.createCertificate();
  holder.setSubject([{ name: "commonName", value: commonName, valueTagClass: asn1.Type.UTF8 as unknown as forge.asn1.Class }]);
  return pki.distinguishedNameToAsn1(holder.subject);
}

function algorithm(): Asn1 {
  return sequence(primitive(asn1.Type.OID, asn1.oidToDer(oid.ecdsaWithSha256).getBytes()));
}

function sequence(...items: Asn1[]): Asn1 {
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, items);
}

function primitive(type: forge.asn1.Type, value: string): Asn1 {
  return asn1.create(asn1.Class.UNIVERSAL, type, false, value);
}

function readDer(bytes: Uint8Array): Asn1 {
  return asn1.fromDer(Buffer.from(bytes).toString("latin1"));
}

function bytesOf(value: Asn1): Buffer {
  return Buffer.from(asn1.toDer(value).getBytes(), "latin1");
}
