import type { Test } from "tap";
import { createLog } from "../../agent/log/index.ts";
import { joinNode, type NodeHooks, type OpenedNode, openNode } from "../../agent/node/index.ts";
import { machineSeams, type Seams } from "../../agent/seams/index.ts";
import { decodeLeaf, type Leaf } from "../../protocol/audit/index.ts";
import type { DesiredEntry } from "../../protocol/bundle/index.ts";
import { type Content, encodeContent } from "../../protocol/content/index.ts";
import { nodeRole } from "../../protocol/trust/index.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { PaperVault } from "../support/paper-vault.ts";

const { random } = machineSeams();
export const log = createLog({ level: "silent", node: "test" });

function entry(content: Content, id: Uint8Array, number = 1): DesiredEntry {
  return { ...encodeContent(content), id, index: { epoch: 1, number }, authority: null };
}

const appId = new Uint8Array(16).fill(7);
/** An application of one id: a higher number replaces a lower one. */
export function application(name: string, number = 1): DesiredEntry {
  const content = {
    kind: "application",
    name,
    tokenHash: null,
    uid: null,
    grants: ["plant-1/**"],
    disabled: false,
    person: false,
  } as const;
  return entry(content, appId, number);
}

/** A node and the vault that it joins, on clocks that move only when told to. */
export class Rig {
  readonly vault = new PaperVault();
  readonly clock = new ManualClock();
  readonly seams: Seams = { clock: this.clock, timers: this.clock, random, failpoint: () => {} };
  store = new MemoryStore();
  hooks: NodeHooks = { capabilities: ["test"] };
  opened: OpenedNode | null = null;

  async join(desired: readonly DesiredEntry[] = []): Promise<void> {
    const code = this.vault.enrol("edge-1", nodeRole.edge);
    const exchange = async (request: Uint8Array) => this.vault.answer(request, code, desired);
    await joinNode({ store: this.store, code, role: nodeRole.edge, seams: this.seams, exchange });
  }

  open(): OpenedNode {
    const wall = { gapMs: 0, trusted: false };
    const common = { role: "edge", version: "1", auditFolder: null, onStopped: () => {} } as const;
    this.opened = openNode({ ...common, store: this.store, seams: this.seams, log, hooks: this.hooks, wall });
    return this.opened;
  }

  /** A new process on what the old one had on its disk; the old one ends without a word. */
  crash(): OpenedNode {
    this.store = this.store.reopen();
    return this.open();
  }

  get node() {
    if (this.opened === null) throw new Error("not open");
    return this.opened.node;
  }

  /** Lets the report leave and hands the new ones to the vault. */
  report() {
    this.node.flushReport();
    const after = this.vault.node(this.node.nodeId).receiver.head;
    return this.node.reports(after, { items: 100, bytes: 1e9 }).map(({ carrier }) => this.vault.ingest(carrier));
  }

  /** Leaves of the node's log of these actions, oldest first. */
  leaves(...actions: string[]): Leaf[] {
    const all = this.opened?.audit.leaves(0, 1000).map((leaf) => decodeLeaf(leaf)) ?? [];
    return all.filter(({ action }) => actions.includes(action));
  }

  names(): string[] {
    return this.node.withState((view) => [...view.applications.values()].map(({ content }) => content.name));
  }
}

/** A node that has joined and is open. */
export async function joined(t: Test, desired: readonly DesiredEntry[] = []): Promise<Rig> {
  const rig = new Rig();
  await rig.join(desired);
  rig.open();
  t.teardown(() => rig.opened?.close());
  return rig;
}
