import { existsSync } from "node:fs";
import { createConfig } from "../agent/config/index.ts";
import { type DataFolder, lockDataFolder } from "../agent/data-folder/index.ts";
import { joinNode, openNodeStore } from "../agent/node/index.ts";
import { createSealKey, openSealKey, type Unlock } from "../agent/seal-key/index.ts";
import type { Seams } from "../agent/seams/index.ts";
import type { Dial } from "../agent/tunnel/index.ts";
import { parseEnrolmentCode } from "../protocol/join/index.ts";
import { type MemberStatement, nodeRole } from "../protocol/trust/index.ts";
import { firstConfig } from "./config.ts";

export interface JoinEdgeOptions {
  readonly folder: DataFolder;
  /** Text of the enrolment code. */
  readonly code: string;
  readonly unlock: Unlock;
  readonly seams: Seams;
  /** Where the gateway is, in place of the address that the code names. */
  readonly gateway?: string | undefined;
  /** `host:port` of the local API on loopback, written into the configuration; null for none. */
  readonly api: string | null;
  /** The way to the gateway; sockets unless given. */
  readonly dial?: Dial;
}

/**
 * Joins this machine as an edge: keys, request, answer, configuration. A second try after a crash or a lost answer goes on where the
 * first one stood. Throws JOIN_*, NODE_*, LINK_*, SEAL_KEY_*, STORE_*, CONFIG_*.
 */
export async function joinEdge(options: JoinEdgeOptions): Promise<MemberStatement> {
  const { folder, seams, unlock } = options;
  const { parseAddress, requestJoin, socketDial } = await import("../agent/tunnel/index.ts");
  const code = parseEnrolmentCode(options.code);
  const api = options.api === null ? null : parseAddress(options.api);
  const address = options.gateway ?? code.address;
  const lock = lockDataFolder(folder);
  try {
    const sealed = { path: folder.sealKey, unlock };
    const key = existsSync(folder.sealKey)
      ? await openSealKey(sealed)
      : await createSealKey({ ...sealed, random: seams.random });
    const store = openNodeStore(folder, key, seams);
    try {
      const dial = options.dial ?? socketDial(null);
      const exchange = (carrier: Uint8Array) => requestJoin({ address, carrier, dial, seams });
      const member = await joinNode({ store, code, role: nodeRole.edge, seams, exchange });
      if (!existsSync(folder.config)) createConfig(folder.config, firstConfig({ gateway: address, api }));
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
