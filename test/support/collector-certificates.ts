import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { machineSeams } from "../../agent/seams/index.ts";
import { Authority, createAuthority } from "../../vault/ca/index.ts";

/** PEM files of one end of a connection. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** An authority for log collectors and those who send to them, with its files in a test's folder. */
export class CollectorAuthority {
  /** PEM file of its own certificate. */
  readonly file: string;
  readonly #folder: string;
  readonly #authority: Authority;

  constructor(folder: string, name = "collector-ca") {
    const { random, clock } = machineSeams();
    const made = createAuthority({ name, nowMs: clock.wallMs(), random });
    this.#folder = folder;
    this.#authority = new Authority(made);
    this.file = join(folder, `${name}.pem`);
    writeFileSync(this.file, made.certificate);
  }

  issue(name: string, hosts: readonly string[] = []): CertificateFiles {
    const { random, clock } = machineSeams();
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    const publicKey = new Uint8Array(createPublicKey(privateKey).export({ type: "spki", format: "der" }));
    const pem = this.#authority.issue({ commonName: name, hosts, publicKey, nowMs: clock.wallMs(), random });
    const files = { certificate: join(this.#folder, `${name}.crt`), key: join(this.#folder, `${name}.key`) };
    writeFileSync(files.certificate, pem);
    writeFileSync(files.key, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
    return files;
  }
}
