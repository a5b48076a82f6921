import { existsSync } from "node:fs";
import type { Secret } from "../../protocol/base/index.ts";
import { parseEnrolmentCode } from "../../protocol/join/index.ts";
import type { MemberStatement, NodeRole } from "../../protocol/trust/index.ts";
import { type ConfigEntry, createConfig } from "../config/index.ts";
import { joinedMember, tryJoin } from "../node/index.ts";
import { type ProxySettings, saveProxyLogin } from "../proxy/index.ts";
import { type AskingNode, exchangeOf, withNodeStore } from "./node-store.ts";

export interface JoinMachineOptions extends AskingNode {
  /** Text of the enrolment code. */
  readonly code: string;
  /** 1 gateway, 2 edge; a code for another role is refused. */
  readonly role: NodeRole;
  /** Where to dial, in place of the address that the code names. */
  readonly address?: string | undefined;
  /** What stands in the way there. */
  readonly proxy?: ProxySettings | null | undefined;
  /** For the HTTP proxy; kept sealed, and the caller's to wipe. */
  readonly proxyLogin?: Secret | null | undefined;
  /** The configuration to begin with, for a node that dials `address`; null for one that only media reach. */
  firstConfig(address: string | null): readonly ConfigEntry[];
}

/**
 * Joins this machine: keys, request, answer, configuration. A second try after a crash or a lost answer goes on where the first one
 * stood. Null where the request lies on a medium now and its answer has yet to come: the same call again takes it. Throws JOIN_*, NODE_*,
 * LINK_*, PROXY_*, MEDIA_*, SEAL_KEY_*, STORE_*, CONFIG_*.
 */
export async function joinMachine(options: JoinMachineOptions): Promise<MemberStatement | null> {
  const { folder, seams, role, proxyLogin, proxy = null } = options;
  const code = parseEnrolmentCode(options.code);
  const address = options.address ?? code.address;
  try {
    return await withNodeStore(options, true, async (store) => {
      if (proxyLogin != null) saveProxyLogin(store, proxyLogin);
      const exchange = exchangeOf(options, { address, proxy, store });
      // The last try may have ended between the answer and the configuration; the code is used up by then.
      const known = existsSync(folder.config) ? null : joinedMember(store);
      const member = known?.role === role ? known : await tryJoin({ store, code, role, seams, exchange });
      if (member !== null && !existsSync(folder.config))
        createConfig(folder.config, options.firstConfig(address === "" ? null : address));
      return member;
    });
  } finally {
    code.secret.wipe();
  }
}
