import { assert } from "../base/index.ts";
import { tileWidth } from "./limits.ts";
import { hashLength } from "./tree-hash.ts";

/** A growing column of hashes, one after another: never copied to grow, for there are millions. */
export class HashColumn {
  readonly #tiles: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Adds one hash, or several that fit into the rest of a tile. */
  push(hashes: Uint8Array): void {
    const within = this.#length % tileWidth;
    if (within === 0) this.#tiles.push(new Uint8Array(tileWidth * hashLength));
    assert(within * hashLength + hashes.length <= tileWidth * hashLength, "hashes of one tile");
    (this.#tiles.at(-1) as Uint8Array).set(hashes, within * hashLength);
    this.#length += hashes.length / hashLength;
  }

  /** A view. */
  at(index: number): Uint8Array {
    const begin = (index % tileWidth) * hashLength;
    return (this.#tiles[Math.floor(index / tileWidth)] as Uint8Array).subarray(begin, begin + hashLength);
  }

  /** The first `width` hashes of a tile, a view; null where there are fewer. */
  tile(index: number, width: number): Uint8Array | null {
    return index * tileWidth + width <= this.#length
      ? (this.#tiles[index] as Uint8Array).subarray(0, width * hashLength)
      : null;
  }
}
