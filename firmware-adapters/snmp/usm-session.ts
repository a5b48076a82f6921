import {
  Authentication,
  AuthProtocols,
  createV3Session,
  PrivProtocols,
  RequestFailedError,
  SecurityLevel,
  type Session,
  type SessionOptionsV3,
  type Varbind,
} from "net-snmp";
import type { DeviceTarget, SecretFields } from "../contract/index.ts";
import type { UsmProtocols } from "./usm-keys.ts";
import { type LinkFailure, UsmLink } from "./usm-link.ts";

/** How one exchange ended. `answer` and `status` came authenticated and encrypted from the discovered engine. */
export type Exchange =
  | { readonly kind: "answer"; readonly varbinds: readonly Varbind[] }
  /** The agent refused the request itself; `status` is RFC 3416's error-status. */
  | { readonly kind: "status"; readonly status: number }
  /** No answer, or none that could be read; `loginSent` where an authenticated datagram had left. */
  | { readonly kind: "silence"; readonly loginSent: boolean }
  | LinkFailure;

export interface SessionOptions {
  readonly target: DeviceTarget;
  readonly username: string;
  readonly secret: SecretFields;
  readonly protocols: UsmProtocols;
  /** The engine that must answer, or null on first contact. */
  readonly expectedEngine: Uint8Array | null;
  readonly timeoutMs: number;
}

const authProtocols = {
  "SHA-1": AuthProtocols.sha,
  "SHA-224": AuthProtocols.sha224,
  "SHA-256": AuthProtocols.sha256,
  "SHA-384": AuthProtocols.sha384,
  "SHA-512": AuthProtocols.sha512,
} as const;

/** One user's authPriv session with one agent, for a few requests; `close` it. */
export class UsmSession {
  readonly #link: UsmLink;
  readonly #session: Session;

  constructor(options: SessionOptions) {
    this.#link = new UsmLink(options.target, options.expectedEngine);
    const sessionOptions: SessionOptionsV3 = {
      version: 3,
      port: options.target.port,
      transport: options.target.host.includes(":") ? "udp6" : "udp4",
      // A second SET after a lost answer would apply a key change twice and leave a user whose key nobody knows.
      retries: 0,
      timeout: options.timeoutMs,
      dgramModule: this.#link.dgramModule,
    };
    this.#session = createV3Session(options.target.host, userOf(options), sessionOptions);
    // What cannot be parsed is dropped; the exchange then ends by its time limit.
    this.#session.on("error", () => {});
  }

  /** The engine's id, known after the first exchange that got an answer. */
  get engineId(): Uint8Array | null {
    return this.#link.engineId;
  }

  /** Asks for `oids`; the first call discovers the engine. A login that fails for the clock alone is repeated once. */
  get(oids: readonly string[]): Promise<Exchange> {
    this.#link.allowLogins(2);
    return this.#exchange((done) => this.#session.get([...oids], done));
  }

  /** Sends `varbinds` in one PDU, in exactly one datagram. Only after a `get`, which has set the clock. */
  set(varbinds: readonly Varbind[]): Promise<Exchange> {
    this.#link.allowLogins(1);
    return this.#exchange((done) => this.#session.set([...varbinds], done));
  }

  /** Ends the session and forgets what the library has cached: it keeps every passphrase in a global table. */
  close(): void {
    this.#session.close();
    for (const key of Object.keys(Authentication.authToKeyCache)) {
      Authentication.authToKeyCache[key]?.fill(0);
      delete Authentication.authToKeyCache[key];
    }
  }

  async #exchange(start: (done: (error: Error | null, varbinds?: Varbind[]) => void) => void): Promise<Exchange> {
    const sentBefore = this.#link.loginsSent;
    const answered = new Promise<Exchange>((resolve) => {
      start((error, varbinds) => {
        if (error === null) resolve({ kind: "answer", varbinds: varbinds ?? [] });
        else if (error instanceof RequestFailedError) resolve({ kind: "status", status: error.status });
        else resolve({ kind: "silence", loginSent: this.#link.loginsSent > sentBefore });
      });
    });
    const ended = await Promise.race([answered, this.#link.failure]);
    // A refused connection after the login left says nothing about what became of it.
    if (ended.kind === "unreachable" && this.#link.loginsSent > sentBefore) return { kind: "silence", loginSent: true };
    return ended;
  }
}

function userOf(options: SessionOptions) {
  const { hash, cipher, extension } = options.protocols;
  const aes256 = extension === "blumenthal" ? PrivProtocols.aes256b : PrivProtocols.aes256r;
  return {
    name: options.username,
    level: SecurityLevel.authPriv,
    authProtocol: authProtocols[hash],
    authKey: textOf(options.secret["authPassword"]),
    privProtocol: cipher === "AES-128" ? PrivProtocols.aes : aes256,
    privKey: textOf(options.secret["privPassword"]),
  };
}

/** The library takes passphrases as strings only; this is why it runs in a process that does not live long. */
function textOf(secret: Uint8Array | undefined): string {
  return Buffer.from(secret ?? []).toString("utf8");
}
