import crypto, { type JsonWebKey, type KeyObject } from "node:crypto";
import { syncBuiltinESMExports } from "node:module";

/** Answers kept of one kind; then it begins anew. */
const mostKept = 20_000;
/** Ephemeral pairs for all seals of a process: each seal draws the other half of its secret anew. */
const pairCount = 16;

let remembers = false;

/**
 * From now on this process of the operating system computes once what nothing but its arguments decides, and takes it from memory the
 * next time: worlds that follow one another import the same keys and verify the same statements. A signature that was made here
 * verifies without being computed again; every other one is verified for real.
 */
export function rememberCrypto(): void {
  if (remembers) return;
  remembers = true;
  const names = new Names();
  rememberKeys(names);
  rememberSignatures(names);
  rememberSecrets(names);
  syncBuiltinESMExports();
}

class Memory<Value> {
  readonly #kept = new Map<string, Value>();

  get(key: string, compute: () => Value): Value {
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    return this.put(key, compute());
  }

  find(key: string): Value | undefined {
    return this.#kept.get(key);
  }

  put(key: string, value: Value): Value {
    if (this.#kept.size >= mostKept) this.#kept.clear();
    this.#kept.set(key, value);
    return value;
  }
}

/** What each key object is called: its public half in text, as in its JWK. */
class Names {
  readonly #names = new WeakMap<KeyObject, string>();

  give(key: KeyObject, { x, pub }: JsonWebKey): void {
    const name = x ?? pub;
    if (typeof name === "string") this.#names.set(key, name);
  }

  /** Null for a key that was not imported by its raw bytes, such as a certificate's. */
  of(key: unknown): string | null {
    return this.#names.get(key as KeyObject) ?? null;
  }
}

/** Kinds of keys that this product imports by their raw bytes. */
const rawKinds = ["ed25519", "x25519", "ml-kem-768"];

function rememberKeys(names: Names): void {
  const { createPublicKey, createPrivateKey } = crypto;
  const publics = new Memory<KeyObject>();
  const privates = new Memory<KeyObject>();
  const ofPrivate = new WeakMap<KeyObject, KeyObject>();
  const patched = {
    createPublicKey(input: KeyObject | { format?: string; key: JsonWebKey }): KeyObject {
      if (input instanceof crypto.KeyObject) return ofPrivate.get(input) ?? createPublicKey(input as never);
      if (input.format !== "jwk") return createPublicKey(input as never);
      const { kty, crv, alg, x, pub } = input.key;
      const made = publics.get(`${kty} ${crv} ${alg} ${x} ${pub}`, () => createPublicKey(input as never));
      names.give(made, input.key);
      return made;
    },
    createPrivateKey(input: { format?: string; type?: string; key: Uint8Array }): KeyObject {
      if (input.format !== "der" || input.type !== "pkcs8") return createPrivateKey(input as never);
      return privates.get(Buffer.from(input.key).toString("latin1"), () => {
        const key = createPrivateKey(input as never);
        if (!rawKinds.includes(String(key.asymmetricKeyType))) return key;
        const publicKey = createPublicKey(key as never);
        const jwk = publicKey.export({ format: "jwk" });
        // A copy each time: whoever asks for an export may do with it what he likes.
        publicKey.export = ((options: { format: string }) =>
          options.format === "jwk" ? { ...jwk } : crypto.KeyObject.prototype.export.call(publicKey, options as never)) as never;
        ofPrivate.set(key, publicKey);
        for (const each of [key, publicKey]) names.give(each, jwk);
        return key;
      });
    },
  };
  Object.assign(crypto, patched);
}

function rememberSignatures(names: Names): void {
  const { sign, verify } = crypto;
  /** Message and signer of each signature that holds, by the signature. */
  const held = new Memory<{ readonly signer: string; readonly message: Uint8Array }>();
  const patched = {
    sign(algorithm: null, message: Uint8Array, key: KeyObject): Buffer {
      const signature = sign(algorithm, message, key);
      const signer = names.of(key);
      if (signer !== null) held.put(signature.toString("latin1"), { signer, message: message.slice() });
      return signature;
    },
    verify(algorithm: null, message: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
      const signer = names.of(key);
      if (signer === null) return verify(algorithm, message, key, signature);
      const text = Buffer.from(signature).toString("latin1");
      const known = held.find(text);
      if (known?.signer === signer && Buffer.compare(known.message, message) === 0) return true;
      const holds = verify(algorithm, message, key, signature);
      if (holds) held.put(text, { signer, message: message.slice() });
      return holds;
    },
  };
  Object.assign(crypto, patched);
}

function rememberSecrets(names: Names): void {
  const { diffieHellman, encapsulate, decapsulate, generateKeyPairSync } = crypto;
  const agreed = new Memory<Buffer>();
  const opened = new Memory<Buffer>();
  const made = Array.from({ length: pairCount }, () => {
    const pair = generateKeyPairSync("x25519");
    const jwk = pair.publicKey.export({ format: "jwk" });
    for (const key of [pair.privateKey, pair.publicKey]) names.give(key, jwk);
    return { ...pair, jwk };
  });
  let drawn = 0;
  const patched = {
    generateKeyPairSync(kind: string, options?: { publicKeyEncoding?: { format: string } }): unknown {
      if (kind !== "x25519") return generateKeyPairSync(kind as never, options as never);
      drawn += 1;
      const pair = made[drawn % pairCount];
      if (pair === undefined) throw new Error("no pair");
      const { privateKey, publicKey, jwk } = pair;
      return { privateKey, publicKey: options?.publicKeyEncoding?.format === "jwk" ? { ...jwk } : publicKey };
    },
    diffieHellman(options: { privateKey: KeyObject; publicKey: KeyObject }): Buffer {
      const [ours, theirs] = [names.of(options.privateKey), names.of(options.publicKey)];
      if (ours === null || theirs === null) return diffieHellman(options);
      return Buffer.from(agreed.get(`${ours} ${theirs}`, () => diffieHellman(options)));
    },
    encapsulate(key: KeyObject): { sharedKey: Buffer; ciphertext: Buffer } {
      const result = encapsulate(key) as { sharedKey: Buffer; ciphertext: Buffer };
      const { sharedKey, ciphertext } = result;
      const name = names.of(key);
      if (name !== null) opened.put(`${name} ${ciphertext.toString("latin1")}`, Buffer.from(sharedKey));
      return result;
    },
    decapsulate(key: KeyObject, ciphertext: Uint8Array): Buffer {
      const name = names.of(key);
      if (name === null) return decapsulate(key, ciphertext) as Buffer;
      const text = Buffer.from(ciphertext.buffer, ciphertext.byteOffset, ciphertext.length).toString("latin1");
      return Buffer.from(opened.get(`${name} ${text}`, () => decapsulate(key, ciphertext) as Buffer));
    },
  };
  Object.assign(crypto, patched);
}
