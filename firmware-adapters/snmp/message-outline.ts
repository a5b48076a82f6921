import { usmStats } from "./oids.ts";

/** The parts of an SNMPv3 message that tell whether to let it near the library; nothing here is authenticated. */
export interface MessageOutline {
  readonly messageId: number;
  readonly authenticated: boolean;
  readonly encrypted: boolean;
  readonly engineId: Uint8Array;
  /** For a Report in clear, which usmStats counter it names, 0 for another object; null for every other message. */
  readonly report: number | null;
}

const tag = { integer: 0x02, octets: 0x04, oid: 0x06, sequence: 0x30, report: 0xa8 } as const;

/** Reads the outline of a datagram, or null where it is not an SNMPv3 message (RFC 3412 section 6, RFC 3414 section 2.4). */
export function outlineOf(datagram: Uint8Array): MessageOutline | null {
  try {
    const message = new BerReader(datagram).enter(tag.sequence);
    if (message.integer() !== 3) return null;
    const header = message.enter(tag.sequence);
    const messageId = header.integer();
    header.integer();
    const flags = header.take(tag.octets)[0] ?? 0;
    const security = new BerReader(message.take(tag.octets)).enter(tag.sequence);
    const engineId = Uint8Array.from(security.take(tag.octets));
    const encrypted = (flags & 2) !== 0;
    return { messageId, authenticated: (flags & 1) !== 0, encrypted, engineId, report: encrypted ? null : reportOf(message) };
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function reportOf(message: BerReader): number | null {
  const scoped = message.enter(tag.sequence);
  scoped.take(tag.octets);
  scoped.take(tag.octets);
  if (scoped.nextTag !== tag.report) return null;
  const report = scoped.enter(tag.report);
  for (let field = 0; field < 3; field += 1) report.integer();
  const oid = oidText(report.enter(tag.sequence).enter(tag.sequence).take(tag.oid));
  return oid.startsWith(`${usmStats}.`) ? Number(oid.slice(usmStats.length + 1).split(".")[0]) : 0;
}

function oidText(bytes: Uint8Array): string {
  const numbers: number[] = [];
  let value = 0;
  for (const byte of bytes) {
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      numbers.push(value);
      value = 0;
    }
  }
  const [first = 0, ...rest] = numbers;
  const top = Math.min(Math.floor(first / 40), 2);
  return [top, first - top * 40, ...rest].join(".");
}

/** Reads BER with definite lengths; throws RangeError where the bytes are none. */
class BerReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get nextTag(): number {
    return this.#bytes[this.#at] ?? -1;
  }

  enter(wanted: number): BerReader {
    return new BerReader(this.take(wanted));
  }

  take(wanted: number): Uint8Array {
    if (this.#byte() !== wanted) throw new RangeError("another tag");
    const length = this.#length();
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError("cut short");
    const content = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return content;
  }

  /** An integer of up to four bytes, signed. */
  integer(): number {
    const bytes = this.take(tag.integer);
    if (bytes.length === 0 || bytes.length > 4) throw new RangeError("integer length");
    return bytes.reduce((value, byte, index) => (index === 0 ? (byte << 24) >> 24 : value * 256 + byte), 0);
  }

  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 3) throw new RangeError("length of length");
    let length = 0;
    for (let i = 0; i < count; i += 1) length = length * 256 + this.#byte();
    return length;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new RangeError("cut short");
    this.#at += 1;
    return byte;
  }
}
