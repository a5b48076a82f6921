import { hash } from "node:crypto";

const identityPrefix = "ssh-host-key:";

/** A host key that is expected, as `SHA256:…` writes it, with its type where that is known. */
export interface ExpectedKey {
  readonly type: string | null;
  readonly fingerprint: string;
}

/** The identity text of the key that a device proved to have: `ssh-host-key:TYPE SHA256:…` (the fingerprint of RFC 4253's key blob). */
export function identityOf(key: Uint8Array): string {
  const fingerprint = hash("sha256", key, "base64").replace(/=+$/, "");
  return `${identityPrefix}${typeOf(key)} SHA256:${fingerprint}`;
}

/** Reads an identity text; what was not made here matches no key. */
export function keyOfIdentity(identity: string): ExpectedKey {
  const key = identity.startsWith(identityPrefix) ? keyOfSetting(identity.slice(identityPrefix.length)) : null;
  return key ?? { type: null, fingerprint: "" };
}

/** Reads the setting `hostKey`, `SHA256:…` or `TYPE SHA256:…` as `ssh-keygen -lf` prints the first; null where it is neither. */
export function keyOfSetting(text: string): ExpectedKey | null {
  const match = /^(?:([a-z0-9-]{1,64}) )?SHA256:([A-Za-z0-9+/]{43})=?$/.exec(text.trim());
  return match === null ? null : { type: match[1] ?? null, fingerprint: `SHA256:${match[2]}` };
}

/** True where `identity`, as {@link identityOf} wrote it, is the expected key. */
export function isKey(identity: string, expected: ExpectedKey): boolean {
  const [type, fingerprint] = identity.slice(identityPrefix.length).split(" ");
  return fingerprint === expected.fingerprint && (expected.type === null || type === expected.type);
}

/** RFC 4253 section 6.6: a key blob begins with its type as a string. */
function typeOf(key: Uint8Array): string {
  const length = key.length < 4 ? 0 : Buffer.from(key).readUInt32BE(0);
  const type = Buffer.from(key.subarray(4, 4 + Math.min(length, 64))).toString("latin1");
  return /^[a-z0-9@.-]+$/.test(type) ? type : "unknown";
}
