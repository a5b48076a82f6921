import { mediaLimits } from "../../protocol/media/index.ts";
import type { TrustState } from "../../protocol/trust/index.ts";
import type { AuditLog } from "../audit/index.ts";
import type { JoinedNode } from "../node/index.ts";
import type { Store } from "../store/index.ts";
import type { Post, PostItem, Taken } from "./contracts.ts";

/** What gateway and edge build their post on. */
export interface MemberParts {
  readonly node: JoinedNode;
  readonly audit: AuditLog;
  readonly store: Store;
}

/** Roots that stand beside a manifest: as many as a carrier may hold, and half of what a manifest may have. */
const rootsBeside = { count: 32, bytes: mediaLimits.manifestBytes / 2 } as const;

/** The part of a post that gateway and edge have in common. */
export function memberPost({
  node,
  audit,
  store,
}: MemberParts): Pick<Post, "nodeId" | "vaultId" | "signing" | "time" | "statements" | "trust" | "learn" | "append"> {
  return {
    nodeId: node.nodeId,
    vaultId: node.vaultId,
    signing: () => node.identity.signing,
    time: () => node.time(),
    statements: () => [...rootsAndRevoked(node.trust()), node.member().envelope],
    trust: () => node.trust(),
    learn: (statements) => node.learn(statements),
    append: (event) => store.transaction((tx) => void audit.append(tx, event)),
  };
}

/** The newest roots, and the revoked list where there is one. */
export function rootsAndRevoked({ roots, revoked }: TrustState): Uint8Array[] {
  let from = roots.length;
  for (let bytes = 0; from > 0 && roots.length - from < rootsBeside.count; from -= 1) {
    bytes += roots[from - 1]?.envelope.length ?? 0;
    if (bytes > rootsBeside.bytes) break;
  }
  return [...roots.slice(from).map(({ envelope }) => envelope), ...(revoked === null ? [] : [revoked.envelope])];
}

/** The node's own reports that the vault has not acknowledged; what is due is sealed before. */
export function ownReports(node: JoinedNode): PostItem[] {
  node.flushReport();
  const limits = { items: mediaLimits.files, bytes: Number.MAX_SAFE_INTEGER };
  return node
    .reports(null, limits)
    .map(({ id, carrier }) => ({ kind: "report", id, recipient: node.vaultMailbox, load: () => carrier }));
}

/** Applies a bundle for the node itself. */
export function applyFromMedia(node: JoinedNode, carrier: Uint8Array): Taken {
  const result = node.applyCarrier(carrier);
  if (result.outcome === "refused") return { outcome: "refused", code: result.code };
  return { outcome: result.outcome === "duplicate" ? "known" : result.outcome, code: null };
}
