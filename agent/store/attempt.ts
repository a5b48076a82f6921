import { isStorageFault, storeErrorOf } from "./errors.ts";

/** Does `work`, and does it again where the disk was full and the reserve made room: for work that did nothing then. Throws what `work` throws. */
export function attempt<T>(work: () => T, reserve: { release(): boolean } | undefined): T {
  try {
    return work();
  } catch (error) {
    const full = isStorageFault(error) && storeErrorOf(error).code === "STORE_NO_SPACE";
    if (!full || reserve?.release() !== true) throw error;
    return work();
  }
}
