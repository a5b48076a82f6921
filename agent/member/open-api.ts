import { nodeIdText } from "../../protocol/keys/index.ts";
import type { AuditLog } from "../audit/index.ts";
import type { MemberConfig, Way } from "../config/index.ts";
import type { DataFolder, RunFile } from "../data-folder/index.ts";
import {
  type ApiListener,
  acceptedLogin,
  deniedLogin,
  type LocalApi,
  type LocalApiOptions,
  openLocalApi,
  readLeaf,
} from "../local-api/index.ts";
import { type JoinedNode, vaultHeardAtMs } from "../node/index.ts";
import type { Seams } from "../seams/index.ts";
import { serverTlsOptions } from "../tls/index.ts";
import { LaterReads } from "./later-reads.ts";

export interface MemberApiOptions extends Pick<LocalApiOptions, "source" | "applications" | "health" | "metrics" | "log"> {
  readonly folder: DataFolder;
  readonly config: MemberConfig["api"];
  readonly node: JoinedNode;
  /** Which ways lead to the vault and back. */
  readonly way: Way;
  readonly audit: AuditLog;
  readonly seams: Seams;
  /** A person read the account at this path. */
  onPersonRead(path: string, version: string, application: string): void;
}

/** Opens the local API of a node that has joined: its socket and what its configuration adds. Throws API_LISTEN*. */
export async function openMemberApi(options: MemberApiOptions): Promise<LocalApi> {
  const { folder, config, node, audit, seams } = options;
  const { loopback, tls } = config;
  // Its folder is the node's user's alone (0700), so a wider mode would let nobody else in.
  const listeners: ApiListener[] = [{ kind: "unix", path: folder.apiSocket, mode: 0o600 }];
  if (loopback !== null) listeners.push({ kind: "loopback", ...loopback });
  if (tls !== null) listeners.push({ kind: "tls", ...tls });
  const { source, applications, health, metrics, log } = options;
  metrics.gauge("audit_events_since_anchor", "Audit entries that no other party vouches for yet.", () =>
    audit.eventsSinceAnchor(),
  );
  const self = nodeIdText(node.nodeId);
  const persons = new LaterReads(options.onPersonRead.bind(options));
  const api = await openLocalApi({
    listeners,
    tls: tlsOf(node),
    source,
    applications,
    health,
    vaultLastHeardAt: heardText(node, options.way),
    interval: () => node.interval(),
    onLogin: (application) => audit.folded.note(acceptedLogin(application, self)),
    onRead(event) {
      if (event.application === null) return audit.folded.note(deniedLogin(event, self));
      if (event.outcome !== "refused") audit.space.admitRead();
      audit.noteRead(readLeaf(event));
      const { person, outcome, application, version } = event;
      if (person && outcome === "read" && application !== null && version !== null)
        persons.add([event.path, version, application]);
    },
    clock: seams.clock,
    timers: seams.timers,
    random: seams.random,
    metrics,
    log,
  });
  const close = async () => {
    await api.close();
    persons.tell();
  };
  return { listeners: api.listeners, changed: (path) => api.changed(path), close };
}

/** The API's listeners as `run.json` names them. */
export function apiListeners(api: LocalApi): RunFile["listeners"] {
  return Object.fromEntries(api.listeners.map(({ kind, address, port }) => [`api-${kind}`, { address, port }]));
}

/** The node's own certificate; null before the vault sent one. */
function tlsOf(node: JoinedNode): { key: string; cert: string } | null {
  if (node.identity.tls.chain.length === 0) return null;
  const { key, cert } = serverTlsOptions(node.identity.tls);
  return { key: String(key), cert: String(cert) };
}

/** Made anew only when it changed: each read asks. */
function heardText(node: JoinedNode, way: Way): () => string | null {
  let known: { readonly atMs: number; readonly text: string } | null = null;
  return () => {
    const atMs = vaultHeardAtMs(node, way);
    if (atMs === null) return null;
    if (known?.atMs !== atMs) known = { atMs, text: new Date(atMs).toISOString() };
    return known.text;
  };
}
