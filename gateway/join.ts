import type { DataFolder } from "../agent/data-folder/index.ts";
import { joinMachine } from "../agent/join/index.ts";
import type { Unlock } from "../agent/seal-key/index.ts";
import type { Seams } from "../agent/seams/index.ts";
import type { Dial } from "../agent/tunnel/index.ts";
import type { Secret } from "../protocol/base/index.ts";
import { type MemberStatement, nodeRole } from "../protocol/trust/index.ts";
import { type FirstConfigOptions, firstConfig } from "./config.ts";

export interface JoinGatewayOptions extends Omit<FirstConfigOptions, "vault"> {
  readonly folder: DataFolder;
  /** Text of the enrolment code. */
  readonly code: string;
  readonly unlock: Unlock;
  readonly seams: Seams;
  /** Where the vault is, in place of the address that the code names. */
  readonly vault?: string | undefined;
  /** For the HTTP proxy; kept sealed. */
  readonly proxyLogin?: Secret | null | undefined;
  /** The way to the vault; sockets unless given. */
  readonly dial?: Dial;
  /** Folder that a medium is mounted on, where the request goes by it. */
  readonly media?: string | undefined;
  readonly onStep?: (done: number, total: number) => void;
}

/** Joins this machine as a gateway; null where its request lies on a medium now. Throws as `joinMachine` of the agent. */
export function joinGateway(options: JoinGatewayOptions): Promise<MemberStatement | null> {
  return joinMachine({
    ...options,
    role: nodeRole.gateway,
    address: options.vault,
    firstConfig: (vault) => firstConfig({ ...options, vault }),
  });
}
