import type { Result, VectorFile } from "./vector-file.ts";

interface Checker {
  check(file: VectorFile): Result[];
}

/** One line an area: the module that runs the vector files naming it. */
export const checkers: Readonly<Record<string, () => Promise<Checker>>> = {
  audit: () => import("./audit.ts"),
  bundle: () => import("./bundle.ts"),
  envelope: () => import("./envelope.ts"),
  join: () => import("./join.ts"),
  keys: () => import("./keys.ts"),
  media: () => import("./media.ts"),
  notice: () => import("./notice.ts"),
  seal: () => import("./seal.ts"),
  tcbor: () => import("./tcbor.ts"),
  trust: () => import("./trust.ts"),
  tunnel: () => import("./tunnel.ts"),
};
