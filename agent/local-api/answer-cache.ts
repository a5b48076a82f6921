import { LRUCache } from "lru-cache";
import type { Random } from "../../protocol/base/index.ts";
import { wipeFields } from "../../protocol/content/index.ts";
import type { CredentialSource, ReadableCredential } from "./contracts.ts";
import { type FieldRange, fieldsJson } from "./fields-json.ts";
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
  readonly #shorthand: FieldRange | null;

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
