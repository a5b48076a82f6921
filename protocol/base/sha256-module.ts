/** FIPS 180-4 section 5.3.3: what a hash begins with. */
const start = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

/** FIPS 180-4 section 4.2.2. */
const roundConstants = [
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
  0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
  0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
  0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
  0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
  0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

/** Lanes: messages that are hashed at once. */
const lanes = 4;
const [blockBytes, vectorBytes, wordBytes] = [64, 16, 4];

// WebAssembly core specification 2.0, section 5.4: the instructions that are used, and those on vectors by their number behind 0xfd.
const op = { loop: 0x03, end: 0x0b, branchIf: 0x0d, get: 0x20, set: 0x21, constant: 0x41, add: 0x6a, subtract: 0x6b };
const vectorOp = {
  load: 0,
  store: 11,
  constant: 12,
  shuffle: 13,
  xor: 81,
  or: 80,
  select: 82,
  shiftLeft: 171,
  shiftRight: 173,
  add: 174,
};
const typeOf = { i32: 0x7f, v128: 0x7b, function: 0x60, noResult: 0x40 };
const sectionOf = { type: 1, function: 3, memory: 5, export: 7, code: 10 };

// Parameters: where each lane's message stands, how many blocks all of them have, where each lane's digest goes.
const [message, blocks, digest] = [0, lanes, lanes + 1];
// Locals, all of them vectors with one word of each lane: the schedule, the working variables, the state between blocks, the round's sum.
const schedule = digest + lanes;
const working = schedule + 16;
const state = working + 8;
const sum = state + 8;
const vectors = sum + 1 - schedule;

/** More than the code of `hash` takes. */
const maxCodeBytes = 32 * 1024;

/**
 * The bytes of a WebAssembly module that hashes four messages at once by SHA-256 (FIPS 180-4), each word of the four in one vector. It exports
 * its `memory` of one page (64 KiB) and `hash(message x 4, blocks, digest x 4)`: where the padded messages begin, how many blocks of 64 bytes
 * each of them has, and where their digests of 32 bytes go.
 */
export function sha256Module(): Uint8Array<ArrayBuffer> {
  const hash = new HashFour().code();
  const body = Buffer.concat([Uint8Array.of(1, ...unsigned(vectors), typeOf.v128), hash]);
  return new Uint8Array(
    Buffer.concat([
      Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0),
      section(sectionOf.type, [typeOf.function, digest + lanes, ...Array(digest + lanes).fill(typeOf.i32), 0]),
      section(sectionOf.function, [0]),
      section(sectionOf.memory, [0, 1]),
      section(sectionOf.export, [...name("memory"), 2, 0], [...name("hash"), 0, 0]),
      section(sectionOf.code, Buffer.concat([Uint8Array.from(unsigned(body.length)), body])),
    ]),
  );
}

/** The instructions of `hash`. */
class HashFour {
  readonly #bytes = new Uint8Array(maxCodeBytes);
  #length = 0;

  code(): Uint8Array {
    for (const [i, value] of start.entries()) this.#splat(value).#set(state + i);
    this.#put(op.loop).#put(typeOf.noResult).#loadBlock();
    for (let i = 0; i < 8; i += 1) this.#get(state + i).#set(working + i);
    for (let t = 0; t < roundConstants.length; t += 1) this.#round(t);
    for (let i = 0; i < 8; i += 1)
      this.#get(state + i)
        .#get(working + i)
        .#vector(vectorOp.add)
        .#set(state + i);
    for (let lane = 0; lane < lanes; lane += 1) {
      this.#get(message + lane)
        .#constant(blockBytes)
        .#put(op.add)
        .#set(message + lane);
    }
    this.#get(blocks).#constant(1).#put(op.subtract).#set(blocks);
    this.#get(blocks).#put(op.branchIf).#put(0).#put(op.end);
    this.#storeDigests();
    return this.#put(op.end).#bytes.subarray(0, this.#length);
  }

  /** Section 6.2.2, step 3. The working variables do not move: each round names them anew. */
  #round(t: number): void {
    const [a, b, c, d] = [variable(0, t), variable(1, t), variable(2, t), variable(3, t)];
    const [e, f, g, h] = [variable(4, t), variable(5, t), variable(6, t), variable(7, t)];
    if (t >= 16) this.#extendSchedule(t);
    this.#get(h).#rotations(e, [6, 11, 25]).#vector(vectorOp.add);
    this.#get(f).#get(g).#get(e).#vector(vectorOp.select).#vector(vectorOp.add);
    this.#splat(roundConstants[t] ?? 0)
      .#get(word(t))
      .#vector(vectorOp.add)
      .#vector(vectorOp.add)
      .#set(sum);
    this.#get(d).#get(sum).#vector(vectorOp.add).#set(d);
    this.#get(sum).#rotations(a, [2, 13, 22]).#vector(vectorOp.add);
    // The majority of three bits is the third where the first two differ.
    this.#get(c).#get(b).#get(a).#get(b).#vector(vectorOp.xor).#vector(vectorOp.select).#vector(vectorOp.add).#set(h);
  }

  /** Section 6.2.2, step 1. */
  #extendSchedule(t: number): void {
    const [early, late] = [word(t - 15), word(t - 2)];
    this.#get(word(t))
      .#get(word(t - 7))
      .#vector(vectorOp.add);
    this.#rotations(early, [7, 18]).#shift(early, vectorOp.shiftRight, 3).#vector(vectorOp.xor).#vector(vectorOp.add);
    this.#rotations(late, [17, 19]).#shift(late, vectorOp.shiftRight, 10).#vector(vectorOp.xor).#vector(vectorOp.add);
    this.#set(word(t));
  }

  /** The exclusive or of a local turned right by each of `counts`. */
  #rotations(local: number, counts: readonly number[]): this {
    for (const [i, count] of counts.entries()) {
      this.#shift(local, vectorOp.shiftRight, count)
        .#shift(local, vectorOp.shiftLeft, 32 - count)
        .#vector(vectorOp.or);
      if (i > 0) this.#vector(vectorOp.xor);
    }
    return this;
  }

  /** Four words of each lane at a time, turned so that a vector has the same word of each. */
  #loadBlock(): void {
    for (let quarter = 0; quarter < 4; quarter += 1) {
      for (let lane = 0; lane < lanes; lane += 1) {
        this.#get(message + lane)
          .#vector(vectorOp.load)
          .#put(0)
          .#put(quarter * vectorBytes)
          .#set(working + lane);
      }
      for (let row = 0; row < 4; row += 1) this.#transposed(row).#set(word(4 * quarter + row));
    }
  }

  #storeDigests(): void {
    for (let half = 0; half < 2; half += 1) {
      for (let i = 0; i < 4; i += 1) this.#get(state + 4 * half + i).#set(working + i);
      for (let lane = 0; lane < lanes; lane += 1) {
        this.#get(digest + lane)
          .#transposed(lane)
          .#vector(vectorOp.store)
          .#put(0)
          .#put(half * vectorBytes);
      }
    }
  }

  /** Of the first four working variables as a table that is turned over: one row, with the bytes of each word in reverse. */
  #transposed(row: number): this {
    const column = row & 2;
    for (const from of [working, working + 2]) {
      this.#get(from)
        .#get(from + 1)
        .#shuffle([column, column + 4, column + 1, column + 5], 0);
    }
    return this.#shuffle(row % 2 === 0 ? [0, 1, 4, 5] : [2, 3, 6, 7], wordBytes - 1);
  }

  /** Of the words of two vectors, counted through, these four; `flip` 3 turns the bytes of each around. */
  #shuffle(words: readonly number[], flip: number): this {
    this.#vector(vectorOp.shuffle);
    for (const at of words) for (let byte = 0; byte < wordBytes; byte += 1) this.#put(at * wordBytes + (byte ^ flip));
    return this;
  }

  #shift(local: number, how: number, count: number): this {
    return this.#get(local).#constant(count).#vector(how);
  }

  /** The same word in each lane. */
  #splat(value: number): this {
    this.#vector(vectorOp.constant);
    for (let lane = 0; lane < lanes; lane += 1) for (let byte = 0; byte < wordBytes; byte += 1) this.#put(value >>> (8 * byte));
    return this;
  }

  #get(local: number): this {
    return this.#put(op.get).#put(local);
  }

  #set(local: number): this {
    return this.#put(op.set).#put(local);
  }

  #vector(instruction: number): this {
    this.#put(0xfd);
    return instruction < 0x80 ? this.#put(instruction) : this.#put(instruction | 0x80).#put(instruction >>> 7);
  }

  /** 0 to 127: a signed LEB128 of two bytes at most. */
  #constant(value: number): this {
    this.#put(op.constant);
    return value < 0x40 ? this.#put(value) : this.#put(value | 0x80).#put(0);
  }

  /** The low eight bits. */
  #put(byte: number): this {
    this.#bytes[this.#length] = byte;
    this.#length += 1;
    return this;
  }
}

/** Where the schedule's word of a round is: only sixteen are kept. */
function word(t: number): number {
  return schedule + (t & 15);
}

/** Where the working variable a (0) to h (7) is in round `t`. */
function variable(which: number, t: number): number {
  return working + ((which - t) & 7);
}

function section(id: number, ...items: readonly (readonly number[] | Uint8Array)[]): Uint8Array {
  const body = Buffer.concat([Uint8Array.from(unsigned(items.length)), ...items.map((item) => Uint8Array.from(item))]);
  return Buffer.concat([Uint8Array.of(id, ...unsigned(body.length)), body]);
}

function name(text: string): number[] {
  return [text.length, ...Buffer.from(text, "latin1")];
}

/** LEB128 of an unsigned number below 2^31. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}
