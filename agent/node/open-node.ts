import { join } from "node:path";
import { assert, type Secret, toHex } from "../../protocol/base/index.ts";
import { nodeIdText } from "../../protocol/keys/index.ts";
import type { WallPolicy } from "../../protocol/time/index.ts";
import { memberOf, newestRoot, vaultIdOf } from "../../protocol/trust/index.ts";
import {
  type AuditLog,
  AuditMirror,
  auditMarkTable,
  type FullPolicy,
  openAuditLog,
  storeSource,
  storeStorage,
} from "../audit/index.ts";
import type { DataFolder } from "../data-folder/index.ts";
import { identityOf, identityTable, loadIdentity } from "../identity/index.ts";
import type { Log } from "../log/index.ts";
import type { Seams } from "../seams/index.ts";
import { openStore, type Store, type StoreOptions } from "../store/index.ts";
import { applyBundle } from "./apply-bundle.ts";
import type { JoinedNode, NodeHooks } from "./contracts.ts";
import { NodeError } from "./errors.ts";
import { forgetAnswer, pendingAnswer } from "./join-node.ts";
import { NodeCore } from "./joined-node.ts";
import { firstLog } from "./limits.ts";
import { MemoryEntries } from "./memory-entries.ts";
import { intervalOf, type NodeParts, streamEvent } from "./node-parts.ts";
import { NodeRecords } from "./node-records.ts";
import { noteConfiguration } from "./note-configuration.ts";

/** Opens a node's sealed store in its data folder; the key stays the caller's and must outlive the store. */
export function openNodeStore(
  folder: DataFolder,
  key: Secret,
  { random, failpoint, reserve }: Pick<Seams, "random" | "failpoint"> & Pick<StoreOptions, "reserve">,
): Store {
  const tables = { erasing: [identityTable], kept: [auditMarkTable] };
  const common = { path: folder.store, markPath: folder.mark, key, random, failpoint, ...tables };
  return openStore(reserve === undefined ? common : { ...common, reserve });
}

export interface OpenNodeOptions {
  readonly store: Store;
  readonly seams: Seams;
  readonly log: Log;
  readonly hooks: NodeHooks;
  readonly wall: WallPolicy;
  readonly role: "gateway" | "edge";
  /** Of Tidegate, for the leaf of the start. */
  readonly version: string;
  /** What the node was configured with, where it runs: a change since the last start is a leaf. */
  readonly config?: object;
  /** Path patterns of accounts whose values this node keeps in memory only, by its own configuration. */
  readonly memoryOnly?: readonly string[];
  /** Folder of the audit log's plain files; null where nobody wants them. */
  readonly auditFolder: string | null;
  /** What becomes of events while the disk is short; the log's own default where it is absent. */
  readonly whenFull?: FullPolicy;
  /** Told once when the audit log can no longer write. */
  readonly onStopped: (code: string) => void;
}

export interface OpenedNode {
  readonly node: JoinedNode;
  readonly audit: AuditLog;
  /** Ends the node, then its log. Idempotent. The store stays the caller's. */
  close(): Promise<void>;
}

/** Opens a node that has joined; where the answer to its join still waits, it is applied first. Throws NODE_NOT_JOINED. */
export function openNode(options: OpenNodeOptions): OpenedNode {
  const { store, seams, log, hooks, wall } = options;
  const records = NodeRecords.load(store);
  const seeds = store.read(loadIdentity);
  assert(seeds !== null, "a joined node has an identity");
  const keys = identityOf(seeds);
  const vaultId = vaultIdOf(records.current.trust);
  const audit = openLog(options, records, keys);
  if (options.config !== undefined) noteConfiguration(store, audit, options.config);
  const vaultMailbox = vaultId.slice(0, 20);
  const memory = store.read(
    (view) =>
      new MemoryEntries(view, {
        patterns: options.memoryOnly ?? [],
        needsDisk: (rows, account) => hooks.needsDisk?.(rows, account) === true,
        random: seams.random,
        nowMs: () => seams.clock.sinceBootMs(),
      }),
  );
  memory.open(store);
  const identity = { seeds, keys };
  const parts: NodeParts = { store, records, audit, identity, vaultId, vaultMailbox, seams, wall, hooks, log, memory };
  applyAnswer(parts);
  const node = new NodeCore(parts);
  return {
    node,
    audit,
    async close() {
      node.close();
      await audit.close();
    },
  };
}

type Keys = NodeParts["identity"]["keys"];

function openLog(options: OpenNodeOptions, records: NodeRecords, keys: Keys): AuditLog {
  const { store, seams, log, wall, auditFolder } = options;
  const storage = storeStorage(firstLog);
  const statements = () => {
    const { trust } = records.current;
    const member = trust.members.get(toHex(keys.nodeId));
    return member === undefined ? null : { member: member.envelope, roots: trust.roots.map((root) => root.envelope) };
  };
  const mirror =
    auditFolder === null
      ? null
      : new AuditMirror({
          folder: join(auditFolder, `${firstLog}`),
          source: storeSource(store, storage, statements),
          onFailed: (cause) => log.warn("audit.mirror-failed", { error: cause }),
        });
  return openAuditLog({
    name: {
      trustDomain: newestRoot(records.current.trust).document.trustDomain,
      node: nodeIdText(keys.nodeId),
      serial: firstLog,
    },
    logKey: keys.log,
    clock: seams.clock,
    random: seams.random,
    interval: () => {
      const { loMs, hiMs } = intervalOf(records.current.time, seams.clock, wall);
      return [loMs, hiMs];
    },
    store,
    storage,
    timers: seams.timers,
    failpoint: seams.failpoint,
    node: { version: options.version, role: options.role },
    mirror,
    onStopped: options.onStopped,
    ...(options.whenFull === undefined ? {} : { whenFull: options.whenFull }),
  });
}

/** The snapshot that answered the join; judged when it came, so that a refusal now means a store that somebody else wrote. */
function applyAnswer(parts: NodeParts): void {
  const answer = parts.store.read(pendingAnswer);
  if (answer === null) return;
  const { result } = applyBundle(parts, answer);
  if (result.outcome === "refused") {
    throw new NodeError("NODE_JOIN_ANSWER", `the stored answer to the join is refused with ${result.code}`);
  }
  const { trust, counters } = parts.records.current;
  const { serial } = memberOf(trust, parts.identity.keys.nodeId);
  parts.store.transaction((tx) => {
    forgetAnswer(tx);
    parts.audit.append(
      tx,
      serial > 1
        ? streamEvent(parts, "node.rekey", { details: { serial } })
        : streamEvent(parts, "node.join", { details: { joinCounter: counters.join } }),
    );
  });
}
