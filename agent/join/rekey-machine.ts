import { assert, type Secret } from "../../protocol/base/index.ts";
import { parseEnrolmentCode } from "../../protocol/join/index.ts";
import type { MemberStatement, NodeRole } from "../../protocol/trust/index.ts";
import { type DataFolder, lockDataFolder } from "../data-folder/index.ts";
import { openNodeStore, rekeyNode } from "../node/index.ts";
import { type ProxySettings, routeOf } from "../proxy/index.ts";
import { openSealKey, type Unlock } from "../seal-key/index.ts";
import type { Seams } from "../seams/index.ts";
import { type Dial, requestJoin, socketDial } from "../tunnel/index.ts";

export interface RekeyMachineOptions {
  readonly folder: DataFolder;
  /** The code for new keys. */
  readonly code: Secret;
  readonly unlock: Unlock;
  readonly seams: Seams;
  readonly role: NodeRole;
  /** host:port that the node dials. */
  readonly address: string;
  readonly proxy: ProxySettings | null;
  /** The way there; sockets unless given. */
  readonly dial?: Dial | undefined;
}

/**
 * Gives a node that does not run new keys. A second try after a lost answer asks the same. Throws DATA_LOCKED, SEAL_KEY_*, JOIN_*, NODE_*,
 * LINK_*, STORE_*.
 */
export async function rekeyMachine(options: RekeyMachineOptions): Promise<MemberStatement> {
  const { folder, seams, role, address, unlock } = options;
  const code = parseEnrolmentCode(options.code.use((bytes) => Buffer.from(bytes).toString("utf8")));
  const lock = lockDataFolder(folder);
  try {
    const key = await openSealKey({ path: folder.sealKey, unlock });
    const store = openNodeStore(folder, key, seams);
    try {
      // No certificate of ours is shown: the old key's says nothing here, and the new one has none yet.
      const dial = options.dial ?? socketDial(null, routeOf(options.proxy, store));
      const exchange = (ask: { carrier: Uint8Array }) => requestJoin({ address, carrier: ask.carrier, dial, seams });
      const member = await rekeyNode({ store, code, role, seams, exchange });
      assert(member !== null, "an exchange over a wire brings an answer or throws");
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
