import { join } from "node:path";
import type { Closing } from "../agent/closing/index.ts";
import { ApplicationList, type LocalApi } from "../agent/local-api/index.ts";
import type { Log } from "../agent/log/index.ts";
import { openNode } from "../agent/node/index.ts";
import { routeOf } from "../agent/proxy/index.ts";
import type { Seams } from "../agent/seams/index.ts";
import type { Store } from "../agent/store/index.ts";
import type { Dial, DialledTunnel, Listen, TunnelListener } from "../agent/tunnel/index.ts";
import { TidegateError } from "../protocol/base/index.ts";
import { ConduitTable, goneConduits } from "./conduits.ts";
import type { GatewayConfig } from "./config.ts";
import { GatewayCredentials } from "./credentials.ts";
import { GatewayMailroom } from "./gateway-mailroom.ts";
import { JoinForward } from "./join-forward.ts";
import { Mailboxes } from "./mailbox/index.ts";
import type { GatewayPostOptions } from "./media.ts";
import { NoticeDesk } from "./notices/index.ts";
import type { GatewayParts } from "./parts.ts";
import { noteServed } from "./served-rows.ts";
import { dropStrangers, RootWatch } from "./strangers.ts";
import { acknowledgeEvents, noteCredentials, takeInAgain } from "./take-in.ts";

export interface CoreOptions {
  readonly store: Store;
  readonly config: GatewayConfig;
  readonly seams: Seams;
  readonly log: Log;
  readonly version: string;
  /** The data folder; null keeps no plain files of the audit log. */
  readonly folder: string | null;
  /** Takes what closes the core; run it once. */
  readonly closing: Closing;
}

/** A gateway without its sockets: node, mailboxes and credentials over one store. */
export interface GatewayCore {
  readonly parts: Omit<GatewayParts, "forwards" | "space">;
  /** What carries items through it, for removable media to join in. */
  readonly couriers: Pick<GatewayPostOptions, "mailroom" | "joins" | "notices">;
  /** Tells the local API of changes from now on. */
  serve(api: LocalApi): void;
  /** Listens for edges where the configuration says so, then dials the vault; sockets where no other way is given. Throws NODE_NO_UPSTREAM, LINK_LISTEN. */
  connect(ways: { readonly dial?: Dial | undefined; readonly listen?: Listen | undefined }): Promise<void>;
}

/** Opens the core. Throws NODE_*, STORE_*. */
export function openCore({ store, config, seams, log, version, folder, closing }: CoreOptions): GatewayCore {
  const mailboxes = new Mailboxes(store, config.mailboxes.totalMib * 1024 * 1024);
  const running = openNode({
    store,
    seams,
    log,
    hooks: {
      capabilities: ["relay"],
      onApply(tx, change) {
        for (const edge of goneConduits(change)) mailboxes.remove(tx, edge);
        return noteCredentials(tx, change, seams.random);
      },
      leavesOf: (change, self) => acknowledgeEvents(self, change),
    },
    wall: { gapMs: config.clock.gapS * 1000, trusted: config.clock.trusted },
    role: "gateway",
    config,
    version,
    memoryOnly: config.memoryOnly,
    auditFolder: folder === null ? null : join(folder, "audit"),
    whenFull: config.audit.whenFull,
    onStopped: (code) => log.error("audit.stopped", { code }),
  });
  closing.push(() => running.close());
  const { node, audit } = running;
  let vault: DialledTunnel | null = null;
  let edges: TunnelListener | null = null;
  let api: LocalApi | null = null;
  const edgeAway = (zone: string) => edges?.sessions().some(({ peer }) => peer.zone === zone) !== true;
  takeInAgain(store, node, seams.random);
  const applications = new ApplicationList();
  applications.read(node);
  const credentials = new GatewayCredentials({ node, store, clock: seams.clock, applications, edgeAway });
  const conduits = new ConduitTable(node);
  const parts: GatewayCore["parts"] = {
    node,
    audit,
    store,
    mailboxes,
    credentials,
    applications,
    conduits,
    staleAfterS: config.staleAfterS,
    way: config.way,
    vault: () => vault,
    hop: { to: "vault", status: () => vault?.status() ?? null, nowMs: () => seams.clock.sinceBootMs() },
    edges: () => edges,
  };
  const wakeVault = () => vault?.wake();
  const joins = new JoinForward({ timers: seams.timers, vaultMailbox: node.vaultMailbox, wake: wakeVault });
  closing.push(() => joins.close());
  const wakeEdge = (edge: Uint8Array) => edges?.wake(edge);
  const notices = new NoticeDesk({
    node,
    audit,
    store,
    log,
    account: (accountId) => credentials.accountOf(accountId),
    onSwitch: (tx, accountId, index) => noteServed(tx, accountId, { index, sinceS: node.time().lo }),
    onTaken: (path) => api?.changed(path),
  });
  const edgeIds = () => conduits.nodeIds;
  const mailroom = new GatewayMailroom({ ...parts, joins, notices, log, edges: edgeIds, wakeVault, wakeEdge });
  const roots = new RootWatch(node);
  closing.push(node.onChanged(() => follow(parts, { log, roots, changed: () => api?.changed() })));
  return {
    parts,
    couriers: { mailroom, joins, notices },
    serve(local) {
      api = local;
    },
    async connect(ways) {
      // Loaded after reads are served.
      const { dialVault, listenForEdges } = await import("./gateway-tunnels.ts");
      const { listen: edgesAt, allowProxies } = config.edges;
      const places = { vault: config.vault?.address ?? "", edges: edgesAt, allowProxies, proxy: routeOf(config.proxy, store) };
      const tunnels = { node, audit, mailroom, joins, conduits, seams, log, ...places, ...ways };
      if (config.edges.listen !== null) {
        const listener = await listenForEdges(tunnels, config.edges.listen);
        edges = listener;
        closing.push(() => listener.close());
      }
      if (config.vault === null) return;
      const tunnel = dialVault(tunnels);
      vault = tunnel;
      closing.push(() => tunnel.close());
      closing.push(node.onOutgoing(wakeVault));
    },
  };
}

/** The vault changed something: applications, who is behind us, what is served. */
function follow(
  parts: GatewayCore["parts"],
  { log, roots, changed }: { log: Log; roots: RootWatch; changed: () => void },
): void {
  const { applications, conduits, mailboxes, node } = parts;
  try {
    applications.read(node);
    changed();
    if (conduits.reload().length > 0) mailboxes.recount();
    const listener = parts.edges();
    if (listener === null) return;
    dropStrangers(listener, { node, conduits });
    roots.look(listener);
  } catch (error) {
    if (!(error instanceof TidegateError)) throw error;
    log.error("state.unreadable", { error });
  }
}
