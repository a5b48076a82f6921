import { join } from "node:path";
import type { Closing } from "../agent/closing/index.ts";
import type { Way } from "../agent/config/index.ts";
import { ApplicationList, applicationTypes, type LocalApi } from "../agent/local-api/index.ts";
import type { Log } from "../agent/log/index.ts";
import { type JoinedNode, type NodeHooks, openNode } from "../agent/node/index.ts";
import type { Seams } from "../agent/seams/index.ts";
import { type Store, viewOf } from "../agent/store/index.ts";
import { TidegateError } from "../protocol/base/index.ts";
import type { Entry } from "../protocol/bundle/index.ts";
import { type ContentView, entryType, viewContent } from "../protocol/content/index.ts";
import { nodeIdText } from "../protocol/keys/index.ts";
import { newestRoot } from "../protocol/trust/index.ts";
import type { EdgeConfig } from "./config.ts";
import { EdgeCredentials } from "./credential-source.ts";
import { EscrowBook } from "./escrow.ts";
import { findEarly } from "./last-served.ts";
import { memoryCredential, needsDisk, refuseOrders, withoutMemoryOnly } from "./memory-only.ts";
import { ModelShelf } from "./models.ts";
import { NoticeBook } from "./notices/index.ts";
import type { EdgeParts } from "./parts.ts";
import { PathIndex } from "./path-index.ts";
import {
  type Adapters,
  momentOf,
  RotationEngine,
  readAccounts,
  readAPart,
  resumeAccounts,
  SiteRules,
  type SyncOptions,
  syncAccounts,
} from "./rotation/index.ts";
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
export type EdgeCore = Omit<EdgeParts, "hop" | "forwards" | "space"> & {
  /** A person read the account at this path. Throws STORE_*. */
  personRead(path: string): void;
  /** Tells the local API of changes from now on. */
  serve(api: LocalApi): void;
};

/** Opens the core: unfinished rotations are taken up, and what the vault wants is brought in line. Throws NODE_*, STORE_*. */
export function openCore(options: CoreOptions): EdgeCore {
  return beginCore(options).finish();
}

/** Opens what a read needs; the accounts are read afterwards, in parts. Throws NODE_*, STORE_*. */
export function beginCore(options: CoreOptions): OpeningCore {
  const base = openBase(options);
  return new OpeningCore(base, readRest(base, options));
}

/** The node, and what is said about its accounts. */
function openBase({ store, seams, log, config, closing, version, folder }: CoreOptions) {
  const late: { node: JoinedNode | null; escrow: EscrowBook | null } = { node: null, escrow: null };
  const hooks: NodeHooks = {
    capabilities: ["adapter:modbus", "adapter:snmp"],
    escrow(tx, context) {
      const { node, escrow } = late;
      return node === null || escrow === null ? null : escrow.seal(tx, context, { nodeId: node.nodeId, trust: node.trust() });
    },
    needsDisk,
  };
  const running = openNode({
    store,
    seams,
    log,
    hooks,
    wall: { gapMs: config.clock.gapS * 1000, trusted: config.clock.trusted },
    role: "edge",
    config,
    version,
    memoryOnly: config.memoryOnly,
    auditFolder: folder === null ? null : join(folder, "audit"),
    whenFull: config.audit.whenFull,
    onStopped: (code) => log.error("audit.stopped", { code }),
  });
  closing.push(() => running.close());
  const { node, audit } = running;
  const escrow = new EscrowBook(store, newestRoot(node.trust()).document.vaultEpoch);
  Object.assign(late, { node, escrow });
  const { nodeId, vaultId } = node;
  const notices = new NoticeBook(store, () => ({ nodeId, vaultId, signing: node.identity.signing }));
  const time = () => node.time();
  const applications = new ApplicationList();
  const { clock } = seams;
  const freshness = () => applications.freshness;
  const memoryOnly = (path: string) => memoryCredential(path, { node, clock, freshness: freshness() });
  const credentials = new EdgeCredentials({ store, clock, time, freshness, memoryOnly });
  applications.read(node);
  const { staleAfterS, way } = config;
  return {
    node,
    audit,
    store,
    escrow,
    notices,
    credentials,
    applications,
    paths: new PathIndex(seams.random),
    staleAfterS,
    way,
  };
}

type CoreBase = ReturnType<typeof openBase>;

/** An edge whose accounts are still being read: what rests is served meanwhile. */
export class OpeningCore {
  readonly node: JoinedNode;
  readonly audit: CoreBase["audit"];
  readonly store: Store;
  readonly credentials: EdgeCredentials;
  readonly applications: ApplicationList;
  readonly staleAfterS: number;
  readonly way: Way;
  readonly #rest: Generator<void, EdgeCore>;
  #core: EdgeCore | null = null;
  #failed: { readonly error: unknown } | null = null;

  constructor(base: CoreBase, rest: Generator<void, EdgeCore>) {
    ({
      node: this.node,
      audit: this.audit,
      store: this.store,
      credentials: this.credentials,
      applications: this.applications,
      staleAfterS: this.staleAfterS,
      way: this.way,
    } = base);
    this.#rest = rest;
    const early = (path: string) => findEarly(path, base);
    this.credentials.open(early, () => void this.finish());
  }

  /** Does a part of the rest; null while there is more. Throws STORE_*. */
  step(): EdgeCore | null {
    if (this.#core !== null) return this.#core;
    // Once it has thrown it does nothing more, and the process ends; who reads meanwhile is told the same.
    if (this.#failed !== null) throw this.#failed.error;
    try {
      const { done, value } = this.#rest.next();
      if (done === true) this.#core = value;
    } catch (error) {
      this.#failed = { error };
      throw error;
    }
    return this.#core;
  }

  /** Does all of the rest at once. Throws STORE_*. */
  finish(): EdgeCore {
    for (;;) {
      const core = this.step();
      if (core !== null) return core;
    }
  }
}

/** Reads the accounts, takes up their rotations, and brings them in line with what the vault wants. */
function* readRest(base: CoreBase, options: CoreOptions): Generator<void, EdgeCore> {
  const { store, seams, log, config, closing } = options;
  const { node, audit, escrow, notices, credentials, applications } = base;
  const time = () => node.time();
  let api: LocalApi | null = null;
  const books = {
    audit,
    queueReport: node.queueReport.bind(node),
    notify: notices.note.bind(notices),
    time,
    self: nodeIdText(node.nodeId),
  };
  const site = new SiteRules({ store, books, clock: seams.clock, requirePermit: config.requirePermit });
  const engine = new RotationEngine({
    store,
    accounts: yield* readAccounts(viewOf(store)),
    books,
    adapters: options.adapters,
    seams,
    log,
    escrowed: () => escrow.settled(node.trust()),
    interval: () => node.interval(),
    site,
    spaceLeft: () => options.spaceLeft(),
    onServed(path) {
      api?.changed(path);
      notices.flush();
    },
    onRoom: () => quietly(log, sync),
  });
  closing.push(async () => {
    await options.adapters.close();
    await engine.close();
  });
  const models = new ModelShelf();
  const wishes = (view: ContentView): SyncOptions => {
    models.take(view);
    applications.take(view);
    const joinedAt = hasSynced(store) ? null : momentOf(seams.clock);
    return { store, books, models: models.find, held: node.mode === "QUARANTINE", joinedAt };
  };
  /** What is in memory only is nothing to the engine: its values leave the engine's rows, and no device is touched for it. */
  const keepOut = (all: ContentView) => {
    const view = withoutMemoryOnly(all, node);
    if (view === all) return view;
    for (const account of [...engine.accounts.values()])
      if (all.accounts.has(account.key) && !view.accounts.has(account.key)) engine.forget(account);
    refuseOrders(all, { node, store });
    return view;
  };
  const sync = () => {
    if (node.status().unacknowledgedReports === 0) escrow.acknowledged();
    node.withState((all) => {
      const view = keepOut(all);
      syncAccounts(engine, view, wishes(view));
      credentials.index(engine);
    });
    noteSynced(base);
    api?.changed();
  };
  yield;
  // Where the last process took everything in, the values lie in their own rows already: reading them again would only cost time.
  if (isSynced(store, node.head())) {
    const view = keepOut(viewContent(yield* startEntries(node)));
    yield;
    yield* resumeAccounts(engine, view, wishes(view));
    credentials.index(engine);
  } else sync();
  closing.push(node.onChanged(() => quietly(log, sync)));
  return {
    ...base,
    engine,
    site,
    personRead(path) {
      for (const account of engine.accounts.values()) if (account.content?.path === path) engine.personRead(account);
    },
    serve(local) {
      api = local;
      // What was read before knew less.
      api.changed();
    },
  };
}

function noteSynced({ store, node, paths, credentials }: CoreBase): void {
  try {
    putSynced(store, node.head(), (tx) => paths.save(tx, credentials.byPath));
  } catch (error) {
    paths.forget();
    throw error;
  }
}

/** Everything but the values themselves. */
const startTypes = [entryType.device, entryType.account, entryType.order, entryType.model, ...applicationTypes] as const;

function* startEntries(node: JoinedNode): Generator<void, readonly Entry[]> {
  const entries: Entry[] = [];
  for (const type of startTypes) {
    for (const entry of node.eachOfType(type)) if (entries.push(entry) % readAPart === 0) yield;
  }
  return entries;
}

/** A stopped writer must not take the bundle's own commit for failed: what is missed here is made up for at the next start. */
export function quietly(log: Log, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof TidegateError)) throw error;
    log.error("rotation.stopped", { error });
  }
}
