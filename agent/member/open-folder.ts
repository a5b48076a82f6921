import type { Closing } from "../closing/index.ts";
import { type DataFolder, lockDataFolder, removeRunFile } from "../data-folder/index.ts";
import { openNodeStore } from "../node/index.ts";
import { openSealKey, type Unlock } from "../seal-key/index.ts";
import type { Seams } from "../seams/index.ts";
import type { Store, StoreOptions } from "../store/index.ts";

export interface FolderToOpen extends Pick<StoreOptions, "reserve"> {
  readonly seams: Seams;
  readonly unlock: Unlock;
  readonly closing: Closing;
}

/** Locks a member's data folder and opens its store. Throws DATA_LOCKED, SEAL_KEY_*, STORE_*; what stands by then is in `closing`. */
export async function openMemberFolder(folder: DataFolder, { seams, unlock, closing, reserve }: FolderToOpen): Promise<Store> {
  const lock = lockDataFolder(folder);
  closing.push(() => lock.release());
  removeRunFile(folder);
  const key = await openSealKey({ path: folder.sealKey, unlock });
  closing.push(() => key.wipe());
  const store = openNodeStore(folder, key, reserve === undefined ? seams : { ...seams, reserve });
  closing.push(() => store.close());
  return store;
}
