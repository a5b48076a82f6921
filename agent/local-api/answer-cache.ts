import { isUtf8 } from "node:buffer";
import { LRUCache } from "lru-cache";
import { concat, type Random } from "../../protocol/base/index.ts";
import { type Fields, wipeFields } from "../../protocol/content/index.ts";
import type { CredentialSource, ReadableCredential } from "./contracts.ts";
import { apiLimits } from "./limits.ts";
import { RepeatedSecretbox } from "./repeated-secretbox.ts";

/** A credential with its answer's unchanging parts; the secret one is sealed. */
export interface CachedAnswer {
  readonly credential: ReadableCredential;
  readonly etag: string;
  /** A new buffer with the whole answer, closed by `tail` (ASCII). The caller wipes it. */
  render(tail: string): Buffer;
}

const nonceBytes = 24;
/** What opening needs before the plaintext. */
const openingBytes = 32;
const shorthandLabel = Buffer.from(',"password":');
const nothing = Buffer.alloc(0);

/**
 * Answers made ready at the first read and kept sealed under a key of this process: a read opens one secretbox instead of reading
 * the store, and no plaintext waits in memory.
 */
export class AnswerCache {
  readonly #key: Uint8Array;
  readonly #random: Random;
  readonly #source: CredentialSource;
  readonly #answers = new LRUCache<string, SealedAnswer>({
    max: apiLimits.cachedAnswers,
    dispose: (answer) => answer.wipe(),
  });

  constructor(source: CredentialSource, random: Random) {
    this.#source = source;
    this.#random = random;
    this.#key = random(32);
  }

  get(path: string): CachedAnswer | null {
    return this.#answers.get(path) ?? this.#make(path);
  }

  /** Forgets what is kept of one path, or of all: the source changed. */
  forget(path?: string): void {
    if (path === undefined) this.#answers.clear();
    else this.#answers.delete(path);
  }

  /** Ends the cache; its key goes. */
  close(): void {
    this.#answers.clear();
    this.#key.fill(0);
  }

  #make(path: string): CachedAnswer | null {
    const credential = this.#source.find(path);
    if (credential === null) return null;
    const answer = new SealedAnswer(
      path,
      credential,
      (plain) => new RepeatedSecretbox(plain, this.#random(nonceBytes), this.#key),
    );
    this.#answers.set(path, answer);
    return answer;
  }
}

class SealedAnswer implements CachedAnswer {
  readonly credential: ReadableCredential;
  readonly etag: string;
  readonly #head: Uint8Array;
  readonly #version: Uint8Array;
  readonly #sealed: RepeatedSecretbox;
  readonly #shorthand: Range | null;

  constructor(path: string, credential: ReadableCredential, seal: (plain: Uint8Array) => RepeatedSecretbox) {
    this.credential = credential;
    this.etag = `"${credential.version}"`;
    this.#head = Buffer.from(`{"path":${JSON.stringify(path)},"username":${JSON.stringify(credential.username)},"fields":`);
    this.#version = Buffer.from(`,"version":${JSON.stringify(credential.version)},`);
    const fields = credential.openFields();
    const { json, password } = fieldsJson(fields);
    this.#sealed = seal(json);
    this.#shorthand = password;
    wipeFields(fields);
    json.fill(0);
  }

  render(tail: string): Buffer {
    const secret = this.#sealed.open(scratchFor(this.#sealed.length));
    const label = this.#shorthand === null ? nothing : shorthandLabel;
    const password = this.#shorthand === null ? nothing : secret.subarray(this.#shorthand.from, this.#shorthand.to);
    const fixed = this.#head.length + secret.length + label.length + password.length + this.#version.length;
    const body = Buffer.allocUnsafe(fixed + tail.length);
    let at = 0;
    for (const part of [this.#head, secret, label, password, this.#version]) {
      body.set(part, at);
      at += part.length;
    }
    body.write(tail, at, "latin1");
    secret.fill(0);
    return body;
  }

  wipe(): void {
    this.#sealed.wipe();
  }
}

/** Plaintext is only ever here, for the length of one call, and grows to the largest answer. */
let scratch = new Uint8Array(1024);

function scratchFor(length: number): Uint8Array {
  if (scratch.length < length + openingBytes) scratch = new Uint8Array(2 * length + openingBytes);
  return scratch;
}

/** Where a value stands in the fields' JSON. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/** The fields as a JSON object, and where `password` has its value. Built of bytes: a string that held a secret could not be wiped. */
function fieldsJson(fields: Fields): { json: Uint8Array; password: Range | null } {
  const parts: Uint8Array[] = [];
  let length = 0;
  let password: Range | null = null;
  for (const [index, { name, value }] of fields.entries()) {
    const label = Buffer.from(`${index === 0 ? "{" : ","}${JSON.stringify(name)}:`);
    const text = valueJson(value);
    parts.push(label, text);
    length += label.length + text.length;
    if (name === "password") password = { from: length - text.length, to: length };
  }
  parts.push(Buffer.from("}"));
  const json = concat(...parts);
  for (const part of parts) part.fill(0);
  return { json, password };
}

const quote = 0x22;
const backslash = 0x5c;
const firstPrintable = 0x20;
const hexDigits = Buffer.from("0123456789abcdef");

/** A field's value as a JSON string; `{"base64": …}` where it is not UTF-8. */
function valueJson(value: Uint8Array): Uint8Array {
  if (!isUtf8(value)) return Buffer.from(`{"base64":"${Buffer.from(value).toString("base64")}"}`);
  const out: number[] = [quote];
  for (const byte of value) {
    if (byte === quote || byte === backslash) out.push(backslash, byte);
    else if (byte < firstPrintable) out.push(...Buffer.from("\\u00"), hexDigits[byte >> 4] ?? 0, hexDigits[byte & 15] ?? 0);
    else out.push(byte);
  }
  out.push(quote);
  const bytes = Uint8Array.from(out);
  out.fill(0);
  return bytes;
}
