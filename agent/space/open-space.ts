import type { Seams } from "../seams/index.ts";
import { SpaceReserve } from "./space-reserve.ts";
import { diskSpaceAt, SpaceWatch } from "./space-watch.ts";

/** The reserve in a data folder and the watch over its disk, which is still to be started. */
export function openSpace(
  folder: { readonly path: string; readonly reserve: string },
  { reserveMib }: { readonly reserveMib: number },
  { random, timers }: Pick<Seams, "random" | "timers">,
): { readonly reserve: SpaceReserve; readonly space: SpaceWatch } {
  const reserve = new SpaceReserve({ path: folder.reserve, bytes: reserveMib * 1024 * 1024, random });
  return { reserve, space: new SpaceWatch({ reserve, timers, look: () => diskSpaceAt(folder.path) }) };
}
