import { createPublicKey, generateKeyPairSync, hash, type KeyObject, X509Certificate } from "node:crypto";
import type { Random } from "../../protocol/base/index.ts";
import { Authority, createAuthority } from "../../vault/ca/index.ts";

/** A TLS key with its certificate, as an identity has it. */
export interface SampleTls {
  readonly key: KeyObject;
  readonly chain: readonly Uint8Array[];
  readonly spkiHash: Uint8Array;
}

/** The vault's own CA at a moment of the test's choice, and certificates of it. */
export class SampleAuthority {
  readonly #authority: Authority;
  readonly #nowMs: number;
  readonly #random: Random;
  /** SubjectPublicKeyInfo, DER, as a root names it. */
  readonly publicKey: Uint8Array;
  /** Its own certificate, PEM. */
  readonly certificate: string;

  constructor(nowMs: number, random: Random) {
    this.#nowMs = nowMs;
    this.#random = random;
    const made = createAuthority({ name: "sample-ca", nowMs, random });
    this.certificate = made.certificate;
    this.#authority = new Authority(made);
    this.publicKey = spkiOf(new X509Certificate(made.certificate).publicKey);
  }

  issue(name: string): SampleTls {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    const publicKey = spkiOf(createPublicKey(privateKey));
    const pem = this.#authority.issue({ commonName: name, hosts: [], publicKey, nowMs: this.#nowMs, random: this.#random });
    return {
      key: privateKey,
      chain: [new Uint8Array(new X509Certificate(pem).raw)],
      spkiHash: new Uint8Array(hash("sha256", publicKey, "buffer")),
    };
  }
}

function spkiOf(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ type: "spki", format: "der" }));
}
