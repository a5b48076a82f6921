import type { Secret } from "../../protocol/base/index.ts";
import { parseEnrolmentCode } from "../../protocol/join/index.ts";
import type { MemberStatement, NodeRole } from "../../protocol/trust/index.ts";
import { rekeyNode } from "../node/index.ts";
import type { ProxySettings } from "../proxy/index.ts";
import { type AskingNode, exchangeOf, withNodeStore } from "./node-store.ts";

export interface RekeyMachineOptions extends AskingNode {
  /** The code for new keys. */
  readonly code: Secret;
  readonly role: NodeRole;
  /** host:port that the node dials; empty where only media reach it. */
  readonly address: string;
  readonly proxy: ProxySettings | null;
}

/**
 * Gives a node that does not run new keys. A second try after a lost answer asks the same. Null where the request lies on a medium now and
 * its answer has yet to come: the same call again takes it. Throws DATA_LOCKED, SEAL_KEY_*, JOIN_*, NODE_*, LINK_*, MEDIA_*, STORE_*.
 */
export async function rekeyMachine(options: RekeyMachineOptions): Promise<MemberStatement | null> {
  const { seams, role, address, proxy } = options;
  const code = parseEnrolmentCode(options.code.use((bytes) => Buffer.from(bytes).toString("utf8")));
  try {
    return await withNodeStore(options, false, (store) =>
      rekeyNode({ store, code, role, seams, exchange: exchangeOf(options, { address, proxy, store }) }),
    );
  } finally {
    code.secret.wipe();
  }
}
