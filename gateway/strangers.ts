import { isTrusted, type JoinedNode } from "../agent/node/index.ts";
import type { TunnelListener } from "../agent/tunnel/index.ts";
import { newestRoot } from "../protocol/trust/index.ts";
import type { Conduits } from "./parts.ts";

/** Ends the sessions of edges that are revoked or behind this gateway no more. */
export function dropStrangers(
  listener: TunnelListener,
  { node, conduits }: { readonly node: Pick<JoinedNode, "trust">; readonly conduits: Conduits },
): void {
  for (const { peer } of listener.sessions()) {
    if (!conduits.has(peer.nodeId) || !isTrusted(node.trust(), peer.nodeId)) listener.drop(peer.nodeId);
  }
}

/** Ends every session after a new root: a peer learns it in the handshake of the next one. */
export class RootWatch {
  readonly #node: Pick<JoinedNode, "trust">;
  #version: number;

  constructor(node: Pick<JoinedNode, "trust">) {
    this.#node = node;
    this.#version = newestRoot(node.trust()).document.version;
  }

  look(listener: TunnelListener): void {
    const { version } = newestRoot(this.#node.trust()).document;
    if (version <= this.#version) return;
    this.#version = version;
    for (const { peer } of listener.sessions()) listener.drop(peer.nodeId);
  }
}
