import type { Random } from "../../protocol/base/index.ts";
import { wipeFields } from "../../protocol/content/index.ts";
import { SplitSecret } from "../secret/index.ts";
import type { Application } from "./applications.ts";
import type { ReadableCredential, ReadEvent } from "./contracts.ts";
import { type FieldRange, fieldsJson } from "./fields-json.ts";
import { apiLimits } from "./limits.ts";

const shorthandLabel = Buffer.from(',"password":');

/** The parts of an answer behind its age, as they were when the vault was last heard at `heardAt`. */
interface Tail {
  readonly heardAt: string | null;
  readonly stale: boolean;
  readonly bytes: Uint8Array;
}

/** A credential's answer with its unchanging parts made ready; the secret one waits in two halves. */
export class PreparedAnswer {
  readonly credential: ReadableCredential;
  readonly etag: string;
  readonly #path: string;
  readonly #head: Uint8Array;
  /** From behind the secret up to the age. */
  readonly #middle: Uint8Array;
  readonly #secret: SplitSecret;
  readonly #shorthand: FieldRange | null;
  readonly #events = new Map<Application, ReadEvent>();
  #tail: Tail | null = null;
  #headers: readonly string[] = [];
  #headersFor = -1;

  constructor(path: string, credential: ReadableCredential, random: Random) {
    this.credential = credential;
    this.etag = `"${credential.version}"`;
    this.#path = path;
    this.#head = Buffer.from(`{"path":${JSON.stringify(path)},"username":${JSON.stringify(credential.username)},"fields":`);
    this.#middle = Buffer.from(`,"version":${JSON.stringify(credential.version)},"ageMs":`);
    const fields = credential.openFields();
    const { json, password } = fieldsJson(fields);
    this.#secret = new SplitSecret(json, random);
    this.#shorthand = password;
    wipeFields(fields);
    json.fill(0);
  }

  /** A new buffer with the whole answer, which the caller wipes; `heardAt` is ISO 8601, or null. */
  render(ageMs: number, heardAt: string | null, stale = false): Buffer {
    const age = ageMs.toString();
    const tail = this.#tailFor(heardAt, stale);
    const shorthand = this.#shorthand;
    const again = shorthand === null ? 0 : shorthandLabel.length + shorthand.to - shorthand.from;
    const fixed = this.#head.length + this.#secret.length + again + this.#middle.length;
    const body = Buffer.allocUnsafe(fixed + age.length + tail.length);
    body.set(this.#head, 0);
    let at = this.#secret.copy(body, this.#head.length);
    if (shorthand !== null) {
      body.set(shorthandLabel, at);
      at = this.#secret.copy(body, at + shorthandLabel.length, shorthand.from, shorthand.to);
    }
    body.set(this.#middle, at);
    at += this.#middle.length;
    at += body.write(age, at, "latin1");
    body.set(tail, at);
    return body;
  }

  /** The headers of an answer whose body has `length` bytes; the same array each time, as nearly all answers have one length. */
  headers(length: number): readonly string[] {
    if (this.#headersFor !== length) {
      this.#headers = answerHeaders(length, this.etag);
      this.#headersFor = length;
    }
    return this.#headers;
  }

  /** That `application` read this version; the same object each time, so that who counts equal reads need not compare them. */
  readBy(application: Application): ReadEvent {
    const known = this.#events.get(application);
    if (known !== undefined) return known;
    const { id, person } = application;
    const event: ReadEvent = { application: id, path: this.#path, version: this.credential.version, outcome: "read", person };
    if (this.#events.size >= apiLimits.cachedReaders) this.#events.clear();
    this.#events.set(application, event);
    return event;
  }

  wipe(): void {
    this.#secret.wipe();
  }

  #tailFor(heardAt: string | null, stale: boolean): Uint8Array {
    if (this.#tail === null || this.#tail.heardAt !== heardAt || this.#tail.stale !== stale) {
      const { source, rotation, expiresAt } = this.credential;
      const [heard, expires] = [heardAt, expiresAt].map((at) => (at === null ? "null" : `"${at}"`));
      // Only constants, numbers and our own timestamps: nothing here needs escaping.
      const text = `,"source":"${source}","vaultLastHeardAt":${heard},"rotation":"${rotation}","expiresAt":${expires}${stale ? ',"stale":true' : ""}}`;
      this.#tail = { heardAt, stale, bytes: Buffer.from(text) };
    }
    return this.#tail.bytes;
  }
}

/** Names and values in turn, as `writeHead` takes them. */
export function answerHeaders(length: number, etag: string): readonly string[] {
  return ["content-type", "application/json", "cache-control", "no-store", "content-length", length.toString(), "etag", etag];
}
