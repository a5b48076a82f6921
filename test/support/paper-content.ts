import { hash } from "node:crypto";
import { utf8 } from "../../protocol/base/index.ts";
import type { AuthorityWindow, DesiredEntry } from "../../protocol/bundle/index.ts";
import {
  type AccountContent,
  type Content,
  type CredentialRole,
  encodeContent,
  fingerprintOf,
  makeFields,
} from "../../protocol/content/index.ts";

export const fingerprintKey = new Uint8Array(32).fill(9);

/** An entry as a vault wants it at a node, in epoch 1. */
export function desired(
  id: Uint8Array,
  content: Content,
  { number = 1, authority = null }: { number?: number; authority?: AuthorityWindow | null } = {},
): DesiredEntry {
  return { ...encodeContent(content), id, index: { epoch: 1, number }, authority };
}

/** An account of a user "operator" that is rotated on demand. */
export function accountContent(deviceId: Uint8Array, path: string, more: Partial<AccountContent> = {}): AccountContent {
  return {
    kind: "account",
    deviceId,
    path,
    username: "operator",
    rotate: "on-demand",
    intervalS: null,
    windowless: false,
    fingerprintKey,
    breakGlass: false,
    group: null,
    reconcileBy: null,
    rotateOn: 0,
    consumersReady: true,
    ...more,
  };
}

/** A password of an account, by its number in epoch 1; `value` may be several named secrets. */
export function credentialContent(
  accountId: Uint8Array,
  [number, value, role]: readonly [
    number: number,
    value: string | readonly (readonly [string, string])[],
    role: CredentialRole,
  ],
): Content {
  const named = typeof value === "string" ? [["password", value] as const] : value;
  const fields = makeFields(named.map(([name, text]) => [name, utf8(text)]));
  const fingerprint = fingerprintOf(fingerprintKey, fields);
  return { kind: "credential", accountId, index: { epoch: 1, number }, role, fields, fingerprint };
}

/** An application "historian" that reads what `grants` cover. */
export function historianContent(token: string, grants: readonly string[], disabled = false): Content {
  const tokenHash = new Uint8Array(hash("sha256", token, "buffer"));
  return { kind: "application", name: "historian", tokenHash, uid: null, person: false, grants, disabled };
}

/** A meter of the model "patient-meter" in plant-1. */
export function meterContent(): Content {
  const reach = { host: "127.0.0.1", port: 502, settings: new Map(), timeZone: "UTC", windows: [], held: false };
  return { kind: "device", name: "meter", zone: "plant-1", model: "patient-meter", ...reach };
}
