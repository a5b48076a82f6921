import type { AuditLog } from "../agent/audit/index.ts";
import type { Way } from "../agent/config/index.ts";
import type { ForwardStatus } from "../agent/forward/index.ts";
import type { ApplicationList } from "../agent/local-api/index.ts";
import type { Hop, JoinedNode } from "../agent/node/index.ts";
import type { SpaceWatch } from "../agent/space/index.ts";
import type { Store } from "../agent/store/index.ts";
import type { DialledTunnel, TunnelListener } from "../agent/tunnel/index.ts";
import type { GatewayCredentials } from "./credentials.ts";
import type { Mailboxes } from "./mailbox/index.ts";

/** What a running gateway is made of. */
export interface GatewayParts {
  readonly node: JoinedNode;
  readonly audit: AuditLog;
  readonly store: Store;
  readonly mailboxes: Mailboxes;
  readonly credentials: GatewayCredentials;
  readonly applications: ApplicationList;
  readonly conduits: Conduits;
  readonly staleAfterS: number;
  /** Which ways lead to the vault and back. */
  readonly way: Way;
  readonly vault: () => DialledTunnel | null;
  /** The tunnel to the vault, as health and metrics see it. */
  readonly hop: Hop;
  /** Null where no edges are listened for. */
  readonly edges: () => TunnelListener | null;
  /** How forwarding to each collector of events goes. */
  readonly forwards: () => readonly ForwardStatus[];
  /** How the disk stands. */
  readonly space: Pick<SpaceWatch, "facts">;
}

/** The edges behind this gateway, as the vault names them. */
export interface Conduits {
  /** Node ids in ascending order. */
  readonly nodeIds: readonly Uint8Array[];
  has(nodeId: Uint8Array): boolean;
  nameOf(nodeId: Uint8Array): string;
  /** Reads them again; returns those that are behind this gateway no more. */
  reload(): readonly Uint8Array[];
}
