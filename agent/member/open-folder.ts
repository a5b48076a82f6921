import type { Closing } from "../closing/index.ts";
import { type DataFolder, lockDataFolder, removeRunFile } from "../data-folder/index.ts";
import { openNodeStore } from "../node/index.ts";
import { openSealKey, type Unlock } from "../seal-key/index.ts";
import type { Seams } from "../seams/index.ts";
import type { Store } from "../store/index.ts";

/** Locks a member's data folder and opens its store. Throws DATA_LOCKED, SEAL_KEY_*, STORE_*; what stands by then is in `closing`. */
export async function openMemberFolder(
  folder: DataFolder,
  { seams, unlock, closing }: { readonly seams: Seams; readonly unlock: Unlock; readonly closing: Closing },
): Promise<Store> {
  const lock = lockDataFolder(folder);
  closing.push(() => lock.release());
  removeRunFile(folder);
  const key = await openSealKey({ path: folder.sealKey, unlock });
  closing.push(() => key.wipe());
  const store = openNodeStore(folder, key, seams);
  closing.push(() => store.close());
  return store;
}
