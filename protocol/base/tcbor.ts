import { assert } from "./assert.ts";
import { TidegateError } from "./errors.ts";

/**
 * TCBOR: RFC 8949 section 4.2.1 (deterministic) limited to unsigned integers up to 2^53 - 1, byte strings, text without
 * control characters, arrays, maps with ascending unsigned keys, true, false and null. What decodes, re-encodes to the same bytes.
 */
export type Tcbor = number | Uint8Array | string | boolean | null | readonly Tcbor[] | ReadonlyMap<number, Tcbor>;

export const TCBOR_CODES = {
  /** The bytes are not TCBOR at all. */
  TCBOR_MALFORMED: { fault: "peer", retryable: false },
  /** Well-formed, but not the shape that this place asks for. */
  TCBOR_SHAPE: { fault: "peer", retryable: false },
} as const;

export class TcborError extends TidegateError<keyof typeof TCBOR_CODES> {
  constructor(code: keyof typeof TCBOR_CODES, message: string) {
    super(TCBOR_CODES, code, message);
  }
}

/** Deepest nesting; SPEC.md section 3.1. */
const maxDepth = 8;
/**
 * Most values in one; SPEC.md section 2. A byte of input can be a value that takes a hundred in memory: a bundle's body of 100,000 entries
 * put and as many removed has 1,400,000.
 */
const maxValues = 1_500_000;
const major = { uint: 0, bytes: 2, text: 3, array: 4, map: 5, simple: 7 } as const;
const simple = { false: 0xf4, true: 0xf5, null: 0xf6 } as const;

/** Encodes `value`. A value outside TCBOR is a bug of ours and crashes. */
export function encodeTcbor(value: Tcbor): Uint8Array {
  const writer = new Writer();
  write(writer, value, 0);
  return writer.take();
}

/** Decodes exactly one value that fills `bytes`, of at most `most` values, itself included. Byte strings are copies. Throws TCBOR_MALFORMED. */
export function decodeTcbor(bytes: Uint8Array, most = maxValues): Tcbor {
  const reader = new Reader(bytes, most);
  const value = read(reader, 0);
  if (!reader.ended) throw malformed("bytes after the value");
  return value;
}

/** Decodes one value at the start of `bytes` and tells how many bytes it took; for a value with a signature behind it. */
export function decodeTcborPrefix(bytes: Uint8Array): { value: Tcbor; length: number } {
  const reader = new Reader(bytes, maxValues);
  const value = read(reader, 0);
  return { value, length: reader.at };
}

function malformed(why: string): TcborError {
  return new TcborError("TCBOR_MALFORMED", why);
}

/** True for U+0000 to U+001F, which TCBOR text may not hold. */
function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) < 0x20) return true;
  return false;
}

/** Where encoding begins: one for all, as it is synchronous; most values fit, and a new buffer costs more than they do. */
const scratch = Buffer.allocUnsafeSlow(8 * 1024);

class Writer {
  #buffer: Buffer = scratch;
  #length = 0;

  head(kind: number, argument: number): void {
    this.#reserve(9);
    const top = kind << 5;
    if (argument < 24) this.#length = this.#buffer.writeUInt8(top | argument, this.#length);
    else if (argument < 0x100) {
      this.#length = this.#buffer.writeUInt8(top | 24, this.#length);
      this.#length = this.#buffer.writeUInt8(argument, this.#length);
    } else if (argument < 0x10000) {
      this.#length = this.#buffer.writeUInt8(top | 25, this.#length);
      this.#length = this.#buffer.writeUInt16BE(argument, this.#length);
    } else if (argument < 0x100000000) {
      this.#length = this.#buffer.writeUInt8(top | 26, this.#length);
      this.#length = this.#buffer.writeUInt32BE(argument, this.#length);
    } else {
      this.#length = this.#buffer.writeUInt8(top | 27, this.#length);
      this.#length = this.#buffer.writeUInt32BE(Math.floor(argument / 0x100000000), this.#length);
      this.#length = this.#buffer.writeUInt32BE(argument >>> 0, this.#length);
    }
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#length = this.#buffer.writeUInt8(value, this.#length);
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  text(value: string): void {
    const length = Buffer.byteLength(value, "utf8");
    this.head(major.text, length);
    this.#reserve(length);
    this.#length += this.#buffer.write(value, this.#length, length, "utf8");
  }

  take(): Uint8Array {
    const out = new Uint8Array(this.#length);
    out.set(this.#buffer.subarray(0, this.#length));
    // What was encoded may be a secret: leave no second copy behind.
    this.#buffer.fill(0, 0, this.#length);
    return out;
  }

  #reserve(extra: number): void {
    if (this.#length + extra <= this.#buffer.length) return;
    const next = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#length + extra));
    next.set(this.#buffer.subarray(0, this.#length));
    this.#buffer.fill(0, 0, this.#length);
    this.#buffer = next;
  }
}

function write(writer: Writer, value: Tcbor, depth: number): void {
  assert(depth <= maxDepth, "TCBOR nested too deep");
  if (value === null) return writer.byte(simple.null);
  if (typeof value === "boolean") return writer.byte(value ? simple.true : simple.false);
  if (typeof value === "number") {
    assert(Number.isSafeInteger(value) && value >= 0, "TCBOR integers are 0 to 2^53 - 1");
    return writer.head(major.uint, value);
  }
  if (typeof value === "string") {
    assert(value.isWellFormed() && !hasControl(value), "TCBOR text is well-formed and has no control characters");
    return writer.text(value);
  }
  if (value instanceof Uint8Array) {
    writer.head(major.bytes, value.length);
    return writer.bytes(value);
  }
  if (value instanceof Map) return writeMap(writer, value as ReadonlyMap<number, Tcbor>, depth);
  const items = value as readonly Tcbor[];
  writer.head(major.array, items.length);
  for (const item of items) write(writer, item, depth + 1);
}

function writeMap(writer: Writer, map: ReadonlyMap<number, Tcbor>, depth: number): void {
  writer.head(major.map, map.size);
  for (const key of [...map.keys()].sort((a, b) => a - b)) {
    write(writer, key, depth + 1);
    write(writer, map.get(key) as Tcbor, depth + 1);
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #valuesLeft: number;
  at = 0;

  constructor(bytes: Uint8Array, most: number) {
    this.#valuesLeft = most;
    // A Buffer's own `slice` shares memory; what is decoded must be a copy.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get ended(): boolean {
    return this.at === this.#bytes.length;
  }

  get left(): number {
    return this.#bytes.length - this.at;
  }

  byte(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  /** One more value begins. */
  count(): void {
    this.#valuesLeft -= 1;
    if (this.#valuesLeft < 0) throw malformed("too many values");
  }

  /** The argument of a head, refused where a shorter form exists. */
  argument(info: number): number {
    if (info < 24) return info;
    const [value, least] = this.#long(info);
    if (value < least) throw malformed("integer not in its shortest form");
    if (!Number.isSafeInteger(value)) throw malformed("integer above 2^53 - 1");
    return value;
  }

  bytes(length: number): Uint8Array {
    const from = this.#advance(length);
    return this.#bytes.slice(from, from + length);
  }

  #long(info: number): [value: number, least: number] {
    if (info === 24) return [this.#view.getUint8(this.#advance(1)), 24];
    if (info === 25) return [this.#view.getUint16(this.#advance(2)), 0x100];
    if (info === 26) return [this.#view.getUint32(this.#advance(4)), 0x10000];
    if (info === 27) {
      const at = this.#advance(8);
      return [this.#view.getUint32(at) * 0x100000000 + this.#view.getUint32(at + 4), 0x100000000];
    }
    throw malformed("reserved or indefinite length");
  }

  #advance(length: number): number {
    const from = this.at;
    if (length > this.left) throw malformed("ends early");
    this.at += length;
    return from;
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function read(reader: Reader, depth: number): Tcbor {
  if (depth > maxDepth) throw malformed("nested too deep");
  reader.count();
  const head = reader.byte();
  const kind = head >>> 5;
  if (kind === major.simple) {
    if (head === simple.null) return null;
    if (head === simple.true) return true;
    if (head === simple.false) return false;
    throw malformed("float, undefined or simple value");
  }
  const argument = reader.argument(head & 31);
  if (kind === major.uint) return argument;
  if (kind === major.bytes) return reader.bytes(argument);
  if (kind === major.text) return readText(reader, argument);
  if (kind === major.array) return readArray(reader, argument, depth);
  if (kind === major.map) return readMap(reader, argument, depth);
  throw malformed("negative integer or tag");
}

function readText(reader: Reader, length: number): string {
  let text: string;
  try {
    text = decoder.decode(reader.bytes(length));
  } catch (cause) {
    if (cause instanceof TcborError) throw cause;
    throw malformed("text is not UTF-8");
  }
  if (hasControl(text)) throw malformed("control character in text");
  return text;
}

function readArray(reader: Reader, length: number, depth: number): Tcbor[] {
  // Each item takes a byte at least, so a large count cannot make us allocate more than the input holds.
  if (length > reader.left) throw malformed("ends early");
  const out: Tcbor[] = [];
  for (let i = 0; i < length; i += 1) out.push(read(reader, depth + 1));
  return out;
}

function readMap(reader: Reader, length: number, depth: number): Map<number, Tcbor> {
  if (length * 2 > reader.left) throw malformed("ends early");
  const out = new Map<number, Tcbor>();
  let last = -1;
  for (let i = 0; i < length; i += 1) {
    const key = read(reader, depth + 1);
    if (typeof key !== "number") throw malformed("map key is not an unsigned integer");
    if (key <= last) throw malformed("map keys not ascending");
    last = key;
    out.set(key, read(reader, depth + 1));
  }
  return out;
}
