import type { AppliedChange, JoinedNode } from "../agent/node/index.ts";
import { compareBytes, toHex } from "../protocol/base/index.ts";
import { entryType, readContent } from "../protocol/content/index.ts";
import type { Conduits } from "./parts.ts";

/** The edges whose conduits a bundle took away. */
export function goneConduits(change: AppliedChange): Uint8Array[] {
  if (change.removed.every(({ type }) => type !== entryType.conduit)) return [];
  const left = new Set([...change.after.conduits.values()].map(({ content }) => toHex(content.nodeId)));
  const before = [...change.before.conduits.values()].map(({ content }) => content.nodeId);
  return before.filter((nodeId) => !left.has(toHex(nodeId)));
}

/** The edges behind this gateway; read again when the vault changed them. */
export class ConduitTable implements Conduits {
  readonly #node: JoinedNode;
  #byId = new Map<string, { readonly nodeId: Uint8Array; readonly name: string }>();
  #nodeIds: readonly Uint8Array[] = [];

  constructor(node: JoinedNode) {
    this.#node = node;
    this.reload();
  }

  get nodeIds(): readonly Uint8Array[] {
    return this.#nodeIds;
  }

  has(nodeId: Uint8Array): boolean {
    return this.#byId.has(toHex(nodeId));
  }

  nameOf(nodeId: Uint8Array): string {
    return this.#byId.get(toHex(nodeId))?.name ?? "";
  }

  reload(): readonly Uint8Array[] {
    const before = this.#nodeIds;
    const found = this.#node.entriesOfType(entryType.conduit).flatMap((entry) => {
      const read = readContent(entry);
      return "content" in read && read.content.kind === "conduit" ? [read.content] : [];
    });
    this.#byId = new Map(found.map(({ nodeId, name }) => [toHex(nodeId), { nodeId, name }]));
    this.#nodeIds = found.map(({ nodeId }) => nodeId).sort(compareBytes);
    return before.filter((nodeId) => !this.has(nodeId));
  }
}
