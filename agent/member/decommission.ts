import { rmSync } from "node:fs";
import { join } from "node:path";
import { nodeIdText } from "../../protocol/keys/index.ts";
import { Closing } from "../closing/index.ts";
import { type DataFolder, syncFolder } from "../data-folder/index.ts";
import type { Log } from "../log/index.ts";
import { openNode } from "../node/index.ts";
import type { Unlock } from "../seal-key/index.ts";
import type { Seams } from "../seams/index.ts";
import { eraseFile } from "./erase.ts";
import { MemberError } from "./errors.ts";
import { openMemberFolder } from "./open-folder.ts";

export interface DecommissionOptions {
  readonly folder: DataFolder;
  readonly unlock: Unlock;
  readonly role: "gateway" | "edge";
  /** Go on though the vault has not heard everything. */
  readonly force: boolean;
  readonly reason: string;
  readonly version: string;
  readonly seams: Seams;
  readonly log: Log;
}

/** What is left of a node. */
export interface Decommissioned {
  readonly name: string;
  readonly nodeId: string;
  /** Facts that the vault has not acknowledged. */
  readonly unreported: number;
  /** The audit log: its last leaf says what was done, under the node's last signature. */
  readonly statement: string;
}

/**
 * Makes a node that does not run useless: its last leaf and checkpoint are signed, then what opens its store is overwritten, and the store
 * with its journal removed. The audit log stays. Throws DATA_LOCKED, SEAL_KEY_*, STORE_*, MEMBER_UNREPORTED.
 */
export async function decommission(options: DecommissionOptions): Promise<Decommissioned> {
  const { folder, unlock, seams, role, version, log } = options;
  const closing = new Closing();
  const audit = join(folder.path, "audit");
  let told: Decommissioned;
  try {
    const store = await openMemberFolder(folder, { seams, unlock, closing });
    const wall = { gapMs: 0, trusted: false };
    const hooks = { capabilities: [] };
    const opened = openNode({ store, seams, log, hooks, wall, role, version, auditFolder: audit, onStopped: () => {} });
    closing.push(() => opened.close());
    const { node } = opened;
    const { name } = node.member().statement;
    const unreported = node.status().waitingFacts;
    if (unreported > 0 && !options.force) {
      const hint =
        "Let it run until it has reported, or carry its reports out by medium; --force goes on without: the vault has every value all the same.";
      throw new MemberError("MEMBER_UNREPORTED", `the vault has not acknowledged ${unreported} facts of ${name}`, hint);
    }
    const nodeId = nodeIdText(node.nodeId);
    const self = { kind: "node", id: nodeId } as const;
    store.transaction((tx) =>
      opened.audit.append(tx, {
        action: "node.decommission",
        actor: { kind: "operator", id: "local" },
        subject: self,
        outcome: "ok",
        details: { reason: options.reason, unreported },
      }),
    );
    told = { name, nodeId, unreported, statement: join(audit, "0") };
  } finally {
    // The last checkpoint is signed, and SQLite folds its journal into the store and empties it.
    await closing.run();
  }
  erase(folder);
  return told;
}

/** The key first: from then on what a crash leaves is bytes that nobody opens. */
function erase(folder: DataFolder): void {
  for (const path of [folder.sealKey, join(folder.keys, "key-file"), folder.mark]) eraseFile(path);
  for (const path of [`${folder.store}-wal`, `${folder.store}-shm`, folder.store]) eraseFile(path);
  for (const path of [folder.run, folder.apiSocket, folder.adminSocket]) rmSync(path, { force: true });
  syncFolder(folder.path);
}
