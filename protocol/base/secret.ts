import { inspect } from "node:util";
import { assert } from "./assert.ts";
import { sameSecret } from "./bytes.ts";

const redacted = "[redacted]";

/**
 * A secret in memory: bytes that never print. `use` lends them for one call; `wipe` overwrites them.
 * Copies that a library makes while it holds them are its own: SECURITY.md names which ones do.
 */
export class Secret {
  #bytes: Buffer | null;

  /** Takes ownership: copies `bytes` and leaves the caller's array alone. */
  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.alloc(bytes.length);
    this.#bytes.set(bytes);
  }

  /** A secret from UTF-8 text; for prompts and libraries that only know strings. */
  static fromText(text: string): Secret {
    return new Secret(Buffer.from(text, "utf8"));
  }

  get length(): number {
    return this.#held().length;
  }

  get wiped(): boolean {
    return this.#bytes === null;
  }

  /** Lends the bytes to `reader`; it must not keep them. */
  use<T>(reader: (bytes: Uint8Array) => T): T {
    return reader(this.#held());
  }

  /** Constant-time comparison. */
  equals(other: Secret): boolean {
    return this.use((a) => other.use((b) => sameSecret(a, b)));
  }

  /** Overwrites the bytes with zeros. Idempotent; `use` after it is a bug. */
  wipe(): void {
    this.#bytes?.fill(0);
    this.#bytes = null;
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [inspect.custom](): string {
    return redacted;
  }

  #held(): Buffer {
    assert(this.#bytes !== null, "secret used after wipe");
    return this.#bytes;
  }
}
