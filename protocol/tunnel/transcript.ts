import { hkdfSync } from "node:crypto";
import { concat, lengthPrefixed, sha256, utf8 } from "../base/index.ts";
import { pae } from "../envelope/index.ts";

/** What one side authenticates its frames with, what it checks the other's with, and the session's public name. */
export interface SessionKeys {
  /** 32 bytes; to be wiped once frames are made with it. */
  readonly diallerToListener: Uint8Array;
  /** As above, for the other direction. */
  readonly listenerToDialler: Uint8Array;
  /** 32 bytes, equal at both ends. */
  readonly sessionId: Uint8Array;
}

const magic = utf8("tidegate-tunnel/1");
const listenerType = "application/vnd.tidegate.tunnel-listener.v1";
const diallerType = "application/vnd.tidegate.tunnel-dialler.v1";

/** th2: M1, the unsigned part of M2 and the exporter (empty in mode proxy). */
export function transcript2(m1: Uint8Array, m2: Uint8Array, exporter: Uint8Array): Uint8Array {
  return sha256(concat(magic, Uint8Array.of(0), lengthPrefixed(m1), lengthPrefixed(m2), lengthPrefixed(exporter)));
}

/** th3: th2, the listener's signature and the unsigned part of M3. */
export function transcript3(th2: Uint8Array, listenerSignature: Uint8Array, m3: Uint8Array): Uint8Array {
  return sha256(concat(th2, lengthPrefixed(listenerSignature), lengthPrefixed(m3)));
}

/** th4: th3 and the dialler's signature; the salt of the session keys. */
export function transcript4(th3: Uint8Array, diallerSignature: Uint8Array): Uint8Array {
  return sha256(concat(th3, lengthPrefixed(diallerSignature)));
}

/** What the listener signs. */
export function listenerMessage(th2: Uint8Array): Uint8Array {
  return pae(listenerType, th2);
}

/** What the dialler signs. */
export function diallerMessage(th3: Uint8Array): Uint8Array {
  return pae(diallerType, th3);
}

/** Session keys; wipes `sharedSecret`. */
export function deriveKeys(sharedSecret: Uint8Array, exporter: Uint8Array, th4: Uint8Array): SessionKeys {
  const ikm = concat(sharedSecret, exporter);
  sharedSecret.fill(0);
  const derive = (purpose: string) => new Uint8Array(hkdfSync("sha256", ikm, th4, `tidegate-tunnel/1 ${purpose}`, 32));
  const keys = {
    diallerToListener: derive("dialler to listener"),
    listenerToDialler: derive("listener to dialler"),
    sessionId: derive("session id"),
  };
  ikm.fill(0);
  return keys;
}
