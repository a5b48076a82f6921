import type { AuditLog } from "../agent/audit/index.ts";
import type { Way } from "../agent/config/index.ts";
import type { ForwardStatus } from "../agent/forward/index.ts";
import type { ApplicationList } from "../agent/local-api/index.ts";
import type { Hop, JoinedNode } from "../agent/node/index.ts";
import type { SpaceWatch } from "../agent/space/index.ts";
import type { Store } from "../agent/store/index.ts";
import type { EdgeCredentials } from "./credential-source.ts";
import type { NoticeBook } from "./notices/index.ts";
import type { RotationEngine, SiteRules } from "./rotation/index.ts";

/** What a running edge is made of. */
export interface EdgeParts {
  readonly node: JoinedNode;
  readonly audit: AuditLog;
  readonly store: Store;
  readonly engine: RotationEngine;
  readonly site: SiteRules;
  readonly credentials: EdgeCredentials;
  readonly applications: ApplicationList;
  readonly notices: NoticeBook;
  readonly staleAfterS: number;
  /** Which ways lead to the vault and back. */
  readonly way: Way;
  /** The tunnel to the gateway. */
  readonly hop: Hop;
  /** How forwarding to each collector of events goes. */
  readonly forwards: () => readonly ForwardStatus[];
  /** How the disk stands. */
  readonly space: Pick<SpaceWatch, "facts">;
}
