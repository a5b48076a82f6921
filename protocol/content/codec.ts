import type { Tcbor } from "../base/index.ts";
import type { Content } from "./content.ts";

/** How one kind of content is written as a TCBOR tuple of fixed length, and read back. */
export interface Codec<C extends Content> {
  readonly length: number;
  encode(content: C): readonly Tcbor[];
  /** Throws TCBOR_SHAPE. */
  decode(tuple: readonly Tcbor[]): C;
}
