import { sameBytes } from "../base/index.ts";
import { hashLength, hashNode } from "./tree-hash.ts";
import { rootOf } from "./tree-state.ts";

/** A growing list of leaf hashes that knows the roots of its beginnings: 32 bytes a leaf, for logs of millions. */
export class HashList {
  #bytes = Buffer.allocUnsafe(1024 * hashLength);
  #length = 0;
  readonly #peaks: Uint8Array[] = [];
  readonly #roots = new Map<number, Uint8Array>();

  /** Roots are kept for these sizes only. */
  constructor(sizes: Iterable<number>) {
    for (const size of sizes) this.#roots.set(size, new Uint8Array(0));
    this.#keep();
  }

  get length(): number {
    return this.#length;
  }

  push(hash: Uint8Array): void {
    if ((this.#length + 1) * hashLength > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(hash, this.#length * hashLength);
    let subtree = hash;
    for (let rest = this.#length; rest % 2 === 1; rest = (rest - 1) / 2) {
      subtree = hashNode(this.#peaks.pop() as Uint8Array, subtree);
    }
    this.#peaks.push(subtree);
    this.#length += 1;
    this.#keep();
  }

  at(index: number): Uint8Array {
    return this.#bytes.subarray(index * hashLength, (index + 1) * hashLength);
  }

  /** All hashes, one after another; a view. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length * hashLength);
  }

  /** True where the first `size` hashes have this root; `size` is one that the list was made for. */
  leadsTo(size: number, root: Uint8Array): boolean {
    return size <= this.#length && sameBytes(this.#roots.get(size) ?? new Uint8Array(0), root);
  }

  #keep(): void {
    if (this.#roots.has(this.#length)) this.#roots.set(this.#length, rootOf({ peaks: this.#peaks }));
  }
}
