import { parseAddress } from "../agent/address/index.ts";
import type { DataFolder } from "../agent/data-folder/index.ts";
import type { ProxySettings } from "../agent/proxy/index.ts";
import type { Unlock } from "../agent/seal-key/index.ts";
import type { Seams } from "../agent/seams/index.ts";
import type { Dial } from "../agent/tunnel/index.ts";
import type { Secret } from "../protocol/base/index.ts";
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
  readonly proxy?: ProxySettings | null | undefined;
  /** For the HTTP proxy; kept sealed. */
  readonly proxyLogin?: Secret | null | undefined;
  /** The way to the gateway; sockets unless given. */
  readonly dial?: Dial;
  /** Folder that a medium is mounted on, where the request goes by it. */
  readonly media?: string | undefined;
  readonly onStep?: (done: number, total: number) => void;
}

/** Joins this machine as an edge; null where its request lies on a medium now. Throws as `joinMachine` of the agent. */
export async function joinEdge(options: JoinEdgeOptions): Promise<MemberStatement | null> {
  // What joining needs is not loaded by a running edge.
  const { joinMachine } = await import("../agent/join/index.ts");
  const api = options.api === null ? null : parseAddress(options.api);
  return joinMachine({
    ...options,
    role: nodeRole.edge,
    address: options.gateway,
    firstConfig: (gateway) => firstConfig({ gateway, api, proxy: options.proxy ?? null }),
  });
}
