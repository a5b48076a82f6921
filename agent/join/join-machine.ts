import { existsSync } from "node:fs";
import type { Secret } from "../../protocol/base/index.ts";
import { parseEnrolmentCode } from "../../protocol/join/index.ts";
import type { MemberStatement, NodeRole } from "../../protocol/trust/index.ts";
import { type ConfigEntry, createConfig } from "../config/index.ts";
import { type DataFolder, lockDataFolder } from "../data-folder/index.ts";
import { type JoinAsk, joinedMember, openNodeStore, tryJoin } from "../node/index.ts";
import { type ProxySettings, routeOf, saveProxyLogin } from "../proxy/index.ts";
import { createSealKey, openSealKey, type Unlock } from "../seal-key/index.ts";
import type { Seams } from "../seams/index.ts";
import { type Dial, requestJoin, socketDial } from "../tunnel/index.ts";
import { exchangeByMedia } from "./media-exchange.ts";

export interface JoinMachineOptions {
  readonly folder: DataFolder;
  /** Text of the enrolment code. */
  readonly code: string;
  readonly unlock: Unlock;
  readonly seams: Seams;
  /** 1 gateway, 2 edge; a code for another role is refused. */
  readonly role: NodeRole;
  /** Where to dial, in place of the address that the code names. */
  readonly address?: string | undefined;
  /** What stands in the way there. */
  readonly proxy?: ProxySettings | null | undefined;
  /** For the HTTP proxy; kept sealed, and the caller's to wipe. */
  readonly proxyLogin?: Secret | null | undefined;
  /** The way there; sockets unless given. */
  readonly dial?: Dial | undefined;
  /** Folder that a medium is mounted on, where the request goes by it. */
  readonly media?: string | undefined;
  /** Told while a medium is written. */
  readonly onStep?: ((done: number, total: number) => void) | undefined;
  /** The configuration to begin with, for a node that dials `address`; null for one that only media reach. */
  firstConfig(address: string | null): readonly ConfigEntry[];
}

/**
 * Joins this machine: keys, request, answer, configuration. A second try after a crash or a lost answer goes on where the first one
 * stood. Null where the request lies on a medium now and its answer has yet to come: the same call again takes it. Throws JOIN_*, NODE_*,
 * LINK_*, PROXY_*, MEDIA_*, SEAL_KEY_*, STORE_*, CONFIG_*.
 */
export async function joinMachine(options: JoinMachineOptions): Promise<MemberStatement | null> {
  const { folder, seams, role, media } = options;
  const code = parseEnrolmentCode(options.code);
  const address = options.address ?? code.address;
  const lock = lockDataFolder(folder);
  try {
    const sealed = { path: folder.sealKey, unlock: options.unlock };
    const key = existsSync(folder.sealKey)
      ? await openSealKey(sealed)
      : await createSealKey({ ...sealed, random: seams.random });
    const store = openNodeStore(folder, key, seams);
    try {
      const { proxyLogin, proxy = null } = options;
      if (proxyLogin != null) saveProxyLogin(store, proxyLogin);
      const dial = options.dial ?? socketDial(null, routeOf(proxy, store));
      const exchange = async (ask: JoinAsk) =>
        media === undefined
          ? requestJoin({ address, carrier: ask.carrier, dial, seams })
          : exchangeByMedia(ask, { mount: media, seams, ...(options.onStep === undefined ? {} : { onStep: options.onStep }) });
      // The last try may have ended between the answer and the configuration; the code is used up by then.
      const known = existsSync(folder.config) ? null : joinedMember(store);
      const member = known?.role === role ? known : await tryJoin({ store, code, role, seams, exchange });
      if (member !== null && !existsSync(folder.config))
        createConfig(folder.config, options.firstConfig(address === "" ? null : address));
      return member;
    } finally {
      store.close();
      key.wipe();
    }
  } finally {
    code.secret.wipe();
    lock.release();
  }
}
