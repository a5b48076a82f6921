import { sameBytes } from "../base/index.ts";
import { HashColumn } from "./hash-column.ts";
import { tileHeight, tileWidth } from "./limits.ts";
import { hashLength, hashNode } from "./tree-hash.ts";
import { rootOf } from "./tree-state.ts";

/** A growing list of leaf hashes that knows the roots of its beginnings and its own hash tiles: for logs of millions. */
export class HashList {
  /** By tile level; at level 0 the leaf hashes. */
  readonly #levels: HashColumn[] = [new HashColumn()];
  readonly #peaks: Uint8Array[] = [];
  readonly #roots = new Map<number, Uint8Array>();

  /** Roots are kept for these sizes only. */
  constructor(sizes: Iterable<number>) {
    for (const size of sizes) this.#roots.set(size, new Uint8Array(0));
    this.#keep();
  }

  get length(): number {
    return this.#level(0).length;
  }

  push(hash: Uint8Array): void {
    this.#level(0).push(hash);
    this.#addSubtree(hash, 0);
  }

  /** Adds `hashes`, one after another. `root` is their tree's where they are a whole tile, else null. */
  add(hashes: Uint8Array, root: Uint8Array | null): void {
    const { length } = this;
    if (root !== null && length % tileWidth === 0 && !this.#asksWithin(length, length + tileWidth)) {
      this.#level(0).push(hashes);
      this.#addSubtree(root.slice(), tileHeight);
      return;
    }
    for (let at = 0; at < hashes.length; at += hashLength) this.push(hashes.slice(at, at + hashLength));
  }

  at(index: number): Uint8Array {
    return this.#level(0).at(index);
  }

  /** What the hash tile must hold; null where the list has fewer than `width` hashes for it. */
  tile({ level, index, width }: { level: number; index: number; width: number }): Uint8Array | null {
    return this.#levels[level]?.tile(index, width) ?? null;
  }

  /** True where the first `size` hashes have this root; `size` is one that the list was made for. */
  leadsTo(size: number, root: Uint8Array): boolean {
    return size <= this.length && sameBytes(this.#roots.get(size) ?? new Uint8Array(0), root);
  }

  /** Takes in a complete subtree of this height as the rightmost one. */
  #addSubtree(hash: Uint8Array, height: number): void {
    let subtree = hash;
    let reached = height;
    if (reached === tileHeight) this.#level(1).push(subtree);
    for (let rest = this.length / 2 ** height - 1; rest % 2 === 1; rest = (rest - 1) / 2) {
      subtree = hashNode(this.#peaks.pop() as Uint8Array, subtree);
      reached += 1;
      if (reached % tileHeight === 0) this.#level(reached / tileHeight).push(subtree);
    }
    this.#peaks.push(subtree);
    this.#keep();
  }

  #level(level: number): HashColumn {
    const column = this.#levels[level] ?? new HashColumn();
    this.#levels[level] = column;
    return column;
  }

  #asksWithin(from: number, to: number): boolean {
    for (const size of this.#roots.keys()) if (size > from && size < to) return true;
    return false;
  }

  #keep(): void {
    if (this.#roots.has(this.length)) this.#roots.set(this.length, rootOf({ peaks: this.#peaks }));
  }
}
