import { existsSync } from "node:fs";
import { type DataFolder, lockDataFolder } from "../data-folder/index.ts";
import { type JoinAsk, openNodeStore } from "../node/index.ts";
import { type ProxySettings, routeOf } from "../proxy/index.ts";
import { createSealKey, openSealKey, type Unlock } from "../seal-key/index.ts";
import type { Seams } from "../seams/index.ts";
import type { Store } from "../store/index.ts";
import { type Dial, requestJoin, socketDial } from "../tunnel/index.ts";
import { exchangeByMedia } from "./media-exchange.ts";

/** The folder of a node that does not run, and the way its request goes. */
export interface AskingNode {
  readonly folder: DataFolder;
  readonly unlock: Unlock;
  readonly seams: Seams;
  /** The way to the node that is dialled; sockets unless given. */
  readonly dial?: Dial | undefined;
  /** Folder that a medium is mounted on, where the request goes by it. */
  readonly media?: string | undefined;
  /** Told while a medium is written. */
  readonly onStep?: ((done: number, total: number) => void) | undefined;
}

/** Runs `work` with the sealed store of a node that does not run; `create` makes its key where there is none. Throws DATA_LOCKED, SEAL_KEY_*, STORE_*. */
export async function withNodeStore<T>(
  { folder, unlock, seams }: AskingNode,
  create: boolean,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const lock = lockDataFolder(folder);
  try {
    const sealed = { path: folder.sealKey, unlock };
    const key =
      create && !existsSync(folder.sealKey)
        ? await createSealKey({ ...sealed, random: seams.random })
        : await openSealKey(sealed);
    const store = openNodeStore(folder, key, seams);
    try {
      return await work(store);
    } finally {
      store.close();
      key.wipe();
    }
  } finally {
    lock.release();
  }
}

/**
 * How a request reaches the vault and its answer comes back: by the medium where one is named, null while it has none; else by dialling
 * `address`. Throws LINK_*, PROXY_*, MEDIA_*, JOIN_*.
 */
export function exchangeOf(
  { media, seams, onStep, ...node }: AskingNode,
  way: { readonly address: string; readonly proxy: ProxySettings | null; readonly store: Store },
): (ask: JoinAsk) => Promise<Uint8Array | null> {
  if (media !== undefined)
    return (ask) => exchangeByMedia(ask, { mount: media, seams, ...(onStep === undefined ? {} : { onStep }) });
  // No certificate of ours is shown: a key that is new has none yet.
  const dial = node.dial ?? socketDial(null, routeOf(way.proxy, way.store));
  return ({ carrier }) => requestJoin({ address: way.address, carrier, dial, seams });
}
