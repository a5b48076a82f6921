import { join } from "node:path";
import type { Closing } from "../agent/closing/index.ts";
import type { LocalApi } from "../agent/local-api/index.ts";
import type { Log } from "../agent/log/index.ts";
import { type JoinedNode, type NodeHooks, openNode } from "../agent/node/index.ts";
import type { Seams } from "../agent/seams/index.ts";
import type { Store } from "../agent/store/index.ts";
import { TidegateError } from "../protocol/base/index.ts";
import { type ContentView, entryType, viewContent } from "../protocol/content/index.ts";
import { nodeIdText } from "../protocol/keys/index.ts";
import { newestRoot } from "../protocol/trust/index.ts";
import { ApplicationList } from "./application-list.ts";
import type { EdgeConfig } from "./config.ts";
import { EdgeCredentials } from "./credential-source.ts";
import { EscrowBook } from "./escrow.ts";
import { ModelShelf } from "./models.ts";
import { NoticeBook } from "./notices/index.ts";
import type { EdgeParts } from "./parts.ts";
import { type Adapters, momentOf, RotationEngine, SiteRules, syncAccounts } from "./rotation/index.ts";
import { hasSynced, isSynced, putSynced } from "./synced.ts";

export interface CoreOptions {
  readonly store: Store;
  readonly config: EdgeConfig;
  readonly seams: Seams;
  readonly log: Log;
  readonly adapters: Adapters & { close(): Promise<void> };
  readonly version: string;
  /** The data folder; null keeps no plain files of the audit log. */
  readonly folder: string | null;
  spaceLeft(): boolean;
  /** Takes what closes the core; run it once. */
  readonly closing: Closing;
}

/** An edge without its sockets: node, rotation engine and credentials over one store. */
export type EdgeCore = Omit<EdgeParts, "tunnel"> & {
  /** A person read the account at this path. Throws STORE_*. */
  personRead(path: string): void;
  /** Tells the local API of changes from now on. */
  serve(api: LocalApi): void;
};

/** Opens the core: unfinished rotations are taken up, and what the vault wants is brought in line. Throws NODE_*, STORE_*. */
export function openCore(options: CoreOptions): EdgeCore {
  const { store, seams, log, config, closing, version, folder } = options;
  const late: { node: JoinedNode | null; escrow: EscrowBook | null; api: LocalApi | null } = {
    node: null,
    escrow: null,
    api: null,
  };
  const hooks: NodeHooks = {
    capabilities: ["adapter:modbus", "adapter:snmp"],
    escrow(tx, context) {
      const { node, escrow } = late;
      return node === null || escrow === null ? null : escrow.seal(tx, context, { nodeId: node.nodeId, trust: node.trust() });
    },
  };
  const running = openNode({
    store,
    seams,
    log,
    hooks,
    wall: { gapMs: config.clock.gapS * 1000, trusted: config.clock.trusted },
    role: "edge",
    version,
    auditFolder: folder === null ? null : join(folder, "audit"),
    onStopped: (code) => log.error("audit.stopped", { code }),
  });
  closing.push(() => running.close());
  const { node, audit } = running;
  const escrow = new EscrowBook(store, newestRoot(node.trust()).document.vaultEpoch);
  Object.assign(late, { node, escrow });
  const time = () => node.time();
  const { nodeId, vaultId } = node;
  const notices = new NoticeBook(store, () => ({ nodeId, vaultId, signing: node.identity.signing }));
  const books = {
    audit,
    queueReport: node.queueReport.bind(node),
    notify: notices.note.bind(notices),
    time,
    self: nodeIdText(node.nodeId),
  };
  const credentials = new EdgeCredentials({ store, clock: seams.clock, time });
  const site = new SiteRules({ store, books, clock: seams.clock, requirePermit: config.requirePermit });
  const engine = new RotationEngine({
    store,
    books,
    adapters: options.adapters,
    seams,
    log,
    escrowed: () => escrow.settled(node.trust()),
    interval: () => node.interval(),
    site,
    spaceLeft: () => options.spaceLeft(),
    onServed(path) {
      late.api?.changed(path);
      notices.flush();
    },
    onRoom: () => quietly(log, sync),
  });
  closing.push(async () => {
    await options.adapters.close();
    await engine.close();
  });
  const models = new ModelShelf();
  const applications = new ApplicationList();
  const take = (view: ContentView) => {
    models.take(view);
    applications.take(view);
    const joinedAt = hasSynced(store) ? null : momentOf(seams.clock);
    syncAccounts(engine, view, { store, books, models: models.find, held: node.mode === "QUARANTINE", joinedAt });
    credentials.index(engine);
  };
  const sync = () => {
    if (node.status().unacknowledgedReports === 0) escrow.acknowledged();
    node.withState(take);
    putSynced(store, node.head());
    late.api?.changed();
  };
  // Where the last process took everything in, the values lie in their own rows already: reading them again would only cost time.
  if (isSynced(store, node.head())) take(viewContent(startTypes.flatMap((type) => node.entriesOfType(type))));
  else sync();
  closing.push(node.onChanged(() => quietly(log, sync)));
  return {
    node,
    audit,
    store,
    engine,
    site,
    credentials,
    notices,
    applications,
    staleAfterS: config.staleAfterS,
    personRead(path) {
      for (const account of engine.accounts.values()) if (account.content?.path === path) engine.personRead(account);
    },
    serve(api) {
      late.api = api;
    },
  };
}

/** Everything but the values themselves. */
const startTypes = [
  entryType.device,
  entryType.account,
  entryType.application,
  entryType.lease,
  entryType.order,
  entryType.tombstone,
  entryType.model,
] as const;

/** A stopped writer must not take the bundle's own commit for failed: what is missed here is made up for at the next start. */
export function quietly(log: Log, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof TidegateError)) throw error;
    log.error("rotation.stopped", { error });
  }
}
